package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokWord
	tokString // quoted: a value or a phrase
	tokPath   // in backquotes: a field whose name holds special characters
	tokOp     // = != < <= > >= ~ !~
	tokPunct  // ( ) ,
)

type token struct {
	kind tokenKind
	text string
	pos  int // byte offset
}

// is reports whether the token is a keyword, in any case.
func (t token) is(keyword string) bool {
	return t.kind == tokWord && strings.EqualFold(t.text, keyword)
}

func (t token) punct(p string) bool { return t.kind == tokPunct && t.text == p }

const special = "()<>=!~,\"'`"

func isBare(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(special, r) })
}

func lex(s string) ([]token, error) {
	if !utf8.ValidString(s) {
		return nil, badFilter(0, "the filter is not valid UTF-8")
	}
	if i := strings.IndexByte(s, 0); i >= 0 { // SQL cannot hold one in a literal
		return nil, badFilter(i, "the filter holds a NUL character")
	}
	var out []token
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if unicode.IsSpace(r) {
			i += n
			continue
		}
		t, end, err := lexOne(s, i)
		if err != nil {
			return nil, err
		}
		if out = append(out, t); len(out) > maxTokens {
			return nil, badFilter(i, "the filter has more than %d words", maxTokens)
		}
		i = end
	}
	return append(out, token{kind: tokEnd, pos: len(s)}), nil
}

func lexOne(s string, i int) (t token, end int, err error) {
	switch c := s[i]; c {
	case '(', ')', ',':
		return token{tokPunct, s[i : i+1], i}, i + 1, nil
	case '"', '\'', '`':
		text, end, err := unquote(s, i)
		kind := tokString
		if c == '`' {
			kind = tokPath
		}
		return token{kind, text, i}, end, err
	case '~':
		return token{tokOp, string(RLike), i}, i + 1, nil
	case '=', '<', '>', '!':
		end = i + 1
		if c == '!' && strings.HasPrefix(s[end:], "~") {
			return token{tokOp, string(NotRLike), i}, end + 1, nil
		}
		if end < len(s) && s[end] == '=' {
			end++
		}
		op := s[i:end]
		if op == "==" {
			op = "="
		}
		if op == "!" {
			return t, 0, badFilter(i, "\"!\" alone is not an operator; use \"not\" or \"!=\"")
		}
		return token{tokOp, op, i}, end, nil
	}
	end = i + strings.IndexFunc(s[i:]+" ", func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(special, r) })
	if end < len(s) && s[end] == '`' && s[end-1] == '.' { // metadata.`odd key`
		path, after, err := unquote(s, end)
		return token{tokPath, s[i:end] + path, i}, after, err
	}
	return token{tokWord, s[i:end], i}, end, nil
}

// unquote reads a quoted text; a backslash makes the next character literal.
func unquote(s string, i int) (text string, end int, err error) {
	var b strings.Builder
	for j := i + 1; j < len(s); j++ {
		switch {
		case s[j] == '\\' && j+1 < len(s):
			j++
			b.WriteByte(s[j])
		case s[j] == s[i]:
			return b.String(), j + 1, nil
		default:
			b.WriteByte(s[j])
		}
	}
	return "", 0, badFilter(i, "the quote is not closed")
}
