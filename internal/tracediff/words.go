package tracediff

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// WordOp says what became of a run of text.
type WordOp string

// The operations on text. Skipped stands for an equal run that was left out; its text is the number of characters.
const (
	Equal   WordOp = "="
	Insert  WordOp = "+"
	Delete  WordOp = "-"
	Skipped WordOp = "…"
)

// Word is a run of text with one operation.
type Word struct {
	Op   WordOp
	Text string
}

// Bounds of one comparison of texts.
const (
	maxTokens = 40000 // of each side; beyond it texts are compared by lines
	maxEdits  = 1500  // found at most; more means that two texts have little in common
)

// Words compares two texts word by word, and languages written without spaces character by character. Deleted runs
// come before what replaces them.
func Words(a, b string) []Word {
	if a == b {
		return joined(nil, Equal, a)
	}
	ta, tb := tokens(a), tokens(b)
	if len(ta) > maxTokens || len(tb) > maxTokens {
		ta, tb = strings.SplitAfter(a, "\n"), strings.SplitAfter(b, "\n")
	}
	return tidy(edits(ta, tb))
}

// tokens cuts a text into words, single characters of scripts that do not separate words, runs of space, and single
// marks.
func tokens(s string) (out []string) {
	for len(s) > 0 {
		n := tokenLen(s)
		out, s = append(out, s[:n]), s[n:]
	}
	return out
}

func tokenLen(s string) int {
	first, n := utf8.DecodeRuneInString(s)
	kind := kindOf(first)
	if kind == mark {
		return n
	}
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if kindOf(r) != kind {
			break
		}
		n += size
	}
	return n
}

const (
	word = iota
	space
	mark
)

func kindOf(r rune) int {
	switch {
	case unicode.IsSpace(r):
		return space
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) || r == 'ー':
		return mark
	case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), r == '_':
		return word
	}
	return mark
}

// edits turns a into b.
func edits(a, b []string) (out []Word) {
	p := 0
	for p < len(a) && p < len(b) && a[p] == b[p] {
		p++
	}
	q := 0
	for q < len(a)-p && q < len(b)-p && a[len(a)-1-q] == b[len(b)-1-q] {
		q++
	}
	out = joined(out, Equal, a[:p]...)
	ma, mb := a[p:len(a)-q], b[p:len(b)-q]
	for _, step := range myers(ma, mb) {
		switch step.op {
		case Delete:
			out = joined(out, Delete, ma[step.a:step.a+step.n]...)
		case Insert:
			out = joined(out, Insert, mb[step.b:step.b+step.n]...)
		default:
			out = joined(out, Equal, ma[step.a:step.a+step.n]...)
		}
	}
	return joined(out, Equal, a[len(a)-q:]...)
}

func joined(out []Word, op WordOp, texts ...string) []Word {
	text := strings.Join(texts, "")
	if text == "" {
		return out
	}
	if n := len(out); n > 0 && out[n-1].Op == op {
		out[n-1].Text += text
		return out
	}
	return append(out, Word{op, text})
}

type step struct {
	op      WordOp
	a, b, n int
}

// myers is E. W. Myers's shortest edit script ("An O(ND) Difference Algorithm", 1986). Over maxEdits, everything is
// replaced.
func myers(a, b []string) (out []step) {
	n, m := len(a), len(b)
	limit := min(n+m, maxEdits)
	v := make([]int32, 2*limit+3)
	at := func(k int) *int32 { return &v[k+limit+1] }
	var trace [][]int32
	for d := 0; d <= limit; d++ {
		for k := -d; k <= d; k += 2 {
			x := 0
			if d > 0 {
				if k == -d || k != d && *at(k - 1) < *at(k + 1) {
					x = int(*at(k + 1))
				} else {
					x = int(*at(k - 1)) + 1
				}
			}
			y := x - k
			for x < n && y < m && x >= 0 && y >= 0 && a[x] == b[y] {
				x, y = x+1, y+1
			}
			*at(k) = int32(x)
			if x >= n && y >= m {
				trace = append(trace, append([]int32(nil), v[limit+1-d:limit+2+d]...))
				return walk(trace, n, m)
			}
		}
		trace = append(trace, append([]int32(nil), v[limit+1-d:limit+2+d]...))
	}
	return []step{{Delete, 0, 0, n}, {Insert, 0, 0, m}}
}

// walk goes back through the furthest points of each round; round d has 2d+1 of them, from diagonal -d.
func walk(trace [][]int32, x, y int) []step {
	var back []step
	for d := len(trace) - 1; d > 0; d-- {
		k := x - y
		last := func(k int) int {
			if k < -(d-1) || k > d-1 {
				return -1
			}
			return int(trace[d-1][k+d-1])
		}
		pk := k - 1
		if k == -d || k != d && last(k-1) < last(k+1) {
			pk = k + 1
		}
		px := last(pk)
		py := px - pk
		for x > px && y > py {
			x, y = x-1, y-1
			back = append(back, step{Equal, x, y, 1})
		}
		if x == px {
			y--
			back = append(back, step{Insert, x, y, 1})
		} else {
			x--
			back = append(back, step{Delete, x, y, 1})
		}
	}
	for x > 0 && y > 0 {
		x, y = x-1, y-1
		back = append(back, step{Equal, x, y, 1})
	}
	for i, j := 0, len(back)-1; i < j; i, j = i+1, j-1 {
		back[i], back[j] = back[j], back[i]
	}
	return back
}

// Equal runs longer than twice this are cut to their ends.
const around = 240

// tidy puts what was deleted before what replaced it, swallows spaces and single marks that stayed between two changes,
// and cuts long runs that are equal.
func tidy(in []Word) (out []Word) {
	for i := 0; i < len(in); {
		if in[i].Op == Equal {
			out = append(out, in[i])
			i++
			continue
		}
		var gone, come strings.Builder
		for i < len(in) {
			if w := in[i]; w.Op == Delete {
				gone.WriteString(w.Text)
			} else if w.Op == Insert {
				come.WriteString(w.Text)
			} else if i+1 < len(in) && trivial(w.Text) {
				gone.WriteString(w.Text)
				come.WriteString(w.Text)
			} else {
				break
			}
			i++
		}
		out = joined(joined(out, Delete, gone.String()), Insert, come.String())
	}
	return shorten(out)
}

func trivial(s string) bool { return strings.TrimSpace(s) == "" && !strings.Contains(s, "\n") }

func shorten(in []Word) (out []Word) {
	for i, w := range in {
		r := []rune(w.Text)
		if w.Op != Equal || len(r) <= 2*around {
			out = append(out, w)
			continue
		}
		head, tail := around, around
		if i == 0 {
			head = 0
		}
		if i == len(in)-1 {
			tail = 0
		}
		if head > 0 {
			out = append(out, Word{Equal, string(r[:head])})
		}
		out = append(out, Word{Skipped, itoa(len(r) - head - tail)})
		if tail > 0 {
			out = append(out, Word{Equal, string(r[len(r)-tail:])})
		}
	}
	return out
}
