package openaicompat

import (
	"bytes"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/wire/openai"
)

// Most answers are one text. What the gateway needs of them is found in one pass without decoding the rest; anything
// else about an answer gives up here and leaves it to the full decoder, so the two cannot disagree on what is rare.

// place is where a value stands in a body; none is at 0.
type place struct{ from, to int }

// plainAnswer reads a whole answer whose message is a text, and where its first model name stands. It is nil for any other.
// Its strings share memory with body, which must not change.
func plainAnswer(body []byte) (*llm.Response, place) {
	if !jsonx.Valid(body) {
		return nil, place{}
	}
	r := &llm.Response{}
	var model place
	plain, choices := true, 0
	jsonx.Each(jsonx.View(body), func(k, v string, at int) bool {
		switch k {
		case "id":
			r.ID = gjson.Parse(v).Str
		case "model":
			r.Model = gjson.Parse(v).Str
			if model.from == 0 {
				model = place{at, at + len(v)}
			}
		case "usage":
			u, ok := plainUsage(v)
			if !ok {
				u = openai.Usage{}
				plain = jsonx.Unmarshal([]byte(v), &u) == nil && v[0] == '{'
			}
			r.Usage = u.LLM()
		case "error":
			plain = v == "null"
		case "choices":
			jsonx.Each(v, func(_, c string, _ int) bool {
				choices++
				plain = choices == 1 && plainChoice(c, r)
				return plain
			})
		}
		return plain
	})
	if !plain || choices != 1 || len(r.Parts) == 0 {
		return nil, place{}
	}
	r.Finish = openai.FinishOf(r.RawFinish, false)
	return r, model
}

func plainChoice(c string, r *llm.Response) (plain bool) {
	plain = true
	jsonx.Each(c, func(k, v string, _ int) bool {
		switch k {
		case "finish_reason":
			r.RawFinish = gjson.Parse(v).Str
		case "message":
			plain = plainMessage(v, r)
		}
		return plain
	})
	return plain
}

func plainMessage(m string, r *llm.Response) (plain bool) {
	plain = true
	jsonx.Each(m, func(k, v string, _ int) bool {
		switch k {
		case "role":
		case "content":
			if plain = len(v) > 2 && v[0] == '"'; plain {
				r.Parts = append(r.Parts, llm.Part{Kind: llm.Text, Text: gjson.Parse(v).Str})
			}
		default:
			plain = v == "null" || v == "[]"
		}
		return plain
	})
	return plain
}

// template is what surrounds the text of a delta. The events of a stream differ in nothing else as a rule: once one has
// been decoded, the next is read by comparing what is around its text.
type template struct {
	before, after         []byte // as the upstream sends them
	sentBefore, sentAfter []byte // as the client gets them, with its own model name
	unused                int    // templates learnt in a row that fitted no further event
}

// maxUnused is when learning is given up: some servers put a random field into every event.
const maxUnused = 4

var contentKey = []byte(`"content":"`)

// learn takes an event that was decoded into the one text; data is the event, sent what the client got of it.
func (t *template) learn(data, sent []byte, text string) {
	if t.unused > maxUnused || bytes.Count(data, contentKey) != 1 {
		return
	}
	i := bytes.Index(data, contentKey) + len(contentKey)
	j := i + len(text)
	if j >= len(data) || data[j] != '"' || string(data[i:j]) != text || !isPlain(data[i:j]) {
		return
	}
	before, after := sent[:max(0, len(sent)-len(data)+i)], data[j:]
	switch {
	case bytes.HasPrefix(sent, data[:j]): // the model's name stands behind the text
		before, after = data[:i], sent[j:]
	case !bytes.HasSuffix(sent, data[i:]):
		return
	}
	t.unused++
	t.before, t.after = append(t.before[:0], data[:i]...), append(t.after[:0], data[j:]...)
	t.sentBefore, t.sentAfter = append(t.sentBefore[:0], before...), append(t.sentAfter[:0], after...)
}

// text is that of an event like the last one learnt.
func (t *template) text(data []byte) ([]byte, bool) {
	n, m := len(t.before), len(data)-len(t.after)
	if n == 0 || m <= n || !bytes.Equal(data[:n], t.before) || !bytes.Equal(data[m:], t.after) || !isPlain(data[n:m]) {
		return nil, false
	}
	t.unused = 0
	return data[n:m], true
}

// apply makes the frame's payload.
func (t *template) apply(dst, text []byte) []byte {
	return append(append(append(dst[:0], t.sentBefore...), text...), t.sentAfter...)
}

// isPlain reports that b stands for itself between the quotes of a JSON string.
func isPlain(b []byte) bool {
	for _, c := range b {
		if c < 0x20 || c == '"' || c == '\\' {
			return false
		}
	}
	return utf8.Valid(b)
}
