package fulltext_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"weir/internal/fulltext"
	"weir/internal/jsonx"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/store/pebble"
	"weir/internal/tenant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const project = tenant.ProjectID("p")

var today = span.DayOf(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))

// world is a store with a text index, and what a search should know.
type world struct {
	t     testing.TB
	dir   string
	store *pebble.Store
	texts *fulltext.Service
	o     fulltext.Options
}

func newWorld(t testing.TB, o fulltext.Options) *world {
	w := &world{t: t, dir: t.TempDir(), o: o}
	w.open()
	t.Cleanup(func() { w.close() })
	w.run() // builds the index of an empty store; else all would be found in the order of the store
	return w
}

func (w *world) open() {
	w.t.Helper()
	s, err := pebble.Open(w.dir, pebble.Options{Now: func() time.Time { return today.Time().Add(time.Hour) }})
	if err != nil {
		w.t.Fatal(err)
	}
	w.store, w.texts = s, fulltext.New(s, w.o)
}

func (w *world) close() {
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
}

// run brings the index up to date.
func (w *world) run() {
	w.t.Helper()
	if err := w.texts.RunOnce(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) flush() {
	w.t.Helper()
	w.run()
	if err := w.texts.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// call is a span to be stored: messages become a conversation, the rest one blob each.
type call struct {
	trace, id, session string
	day                span.Day
	name               string
	messages           []string // JSON
	head               string   // of the request, before the messages
	input, output      string   // JSON; input only without messages
	metadata           string
}

func (w *world) batch(c call) *span.Batch {
	if c.day == 0 {
		c.day = today
	}
	s := &span.Span{
		Project: project, Trace: c.trace, ID: c.id, Day: c.day, Name: c.name, Session: c.session, Kind: span.Generation,
		Start: c.day.Time(), End: c.day.Time().Add(time.Second), Metadata: jsonx.Raw(c.metadata),
	}
	b := &span.Batch{Span: s, Blobs: map[span.Hash][]byte{}}
	blob := func(v []byte) span.Hash {
		h := span.HashOf(v)
		b.Blobs[h] = v
		return h
	}
	if len(c.messages) > 0 {
		head := c.head + `[`
		skeleton := append(binary.AppendUvarint(nil, uint64(len(head))), head+"]}"...)
		s.Input = span.Ref{Form: span.FormConversation, Skeleton: blob(skeleton), Messages: len(c.messages)}
		for _, m := range c.messages {
			body := blob([]byte(m))
			n := span.Node{Parent: s.Input.Node, Body: body}
			n.ID = span.HashOf(n.Parent[:], body[:])
			b.Nodes = append(b.Nodes, n)
			s.Input.Node = n.ID
		}
	} else if c.input != "" {
		s.Input = span.Ref{Form: span.FormRaw, Skeleton: blob([]byte(c.input))}
	}
	if c.output != "" {
		s.Output = span.Ref{Form: span.FormRaw, Skeleton: blob([]byte(c.output))}
	}
	return b
}

// put stores calls.
func (w *world) put(calls ...call) {
	w.t.Helper()
	batches := make([]*span.Batch, len(calls))
	for i, c := range calls {
		batches[i] = w.batch(c)
	}
	if err := w.store.Append(w.t.Context(), false, batches...); err != nil {
		w.t.Fatal(err)
	}
}

// find is what a search yields, as trace/span.
func (w *world) find(needles ...query.Needle) []string {
	w.t.Helper()
	out, err := w.search(w.t.Context(), query.TextQuery{Project: project, Needles: needles})
	if err != nil {
		w.t.Fatalf("search for %q: %v", needles, err)
	}
	return out
}

func (w *world) search(ctx context.Context, q query.TextQuery) (out []string, err error) {
	err = w.texts.Search(ctx, q, func(k span.Key) bool {
		out = append(out, k.Trace+"/"+k.Span)
		return true
	})
	return out, err
}

func (w *world) expect(want []string, needles ...query.Needle) {
	w.t.Helper()
	if got := w.find(needles...); !slices.Equal(got, want) {
		w.t.Errorf("search for %q: got %v, want %v", needles, got, want)
	}
}

func anywhere(s string) query.Needle { return query.Needle{Part: query.AnyText, Text: s} }
func in(s string) query.Needle       { return query.Needle{Part: query.InputText, Text: s} }
func out(s string) query.Needle      { return query.Needle{Part: query.OutputText, Text: s} }

// message is one of a conversation, as JSON.
func message(role, text string) string {
	return string(jsonx.MustMarshal(map[string]string{"role": role, "content": text}))
}

// escaped is a message as programs write it that keep to ASCII.
func escaped(text string) string {
	var b strings.Builder
	b.WriteString(`{"role":"user","content":"`)
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		case r > 126 || r < 32:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"}`
}

var vocabulary = strings.Fields(`the of and connection pool exhausted timeout while reading response header parser tokenizer
	東京 全文検索 データベース 接続 エラー が 発生しました ﾃｽﾄ ＡＰＩ キー 日本語 の テスト func(ctx) err!=nil return{ "quoted" C:\temp\new a/b/c.go
	naïve Straße ΣΊΣΥΦΟΣ résumé 😀 👩🏽‍💻 한국어 검색 中文 搜索 x1f3 0xDEADBEEF 12345.678 foo_bar snake-case <html> {"k":"v"} \d+ tab	x`)

// sentence is random text of many kinds.
func sentence(r *rand.Rand, words int) string {
	var b strings.Builder
	for i := range words {
		if i > 0 && r.IntN(4) > 0 {
			b.WriteByte(" \n"[r.IntN(8)/7])
		}
		b.WriteString(vocabulary[r.IntN(len(vocabulary))])
		if r.IntN(12) == 0 {
			fmt.Fprintf(&b, "id%x", r.Uint32())
		}
	}
	return b.String()
}
