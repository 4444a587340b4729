package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/catalog"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/span"
	"weir/internal/tenant"
)

// script is an Upstream whose attempts are given by the test, in order; the last repeats.
type script struct {
	mu       sync.Mutex
	steps    []func(ctx context.Context, a *Attempt) (*Result, error)
	attempts []*Attempt
	native   bool
}

func (s *script) Speaks(llm.Dialect) bool { return s.native }

func (s *script) Chat(ctx context.Context, a *Attempt) (*Result, error) {
	s.mu.Lock()
	step := s.steps[min(len(s.attempts), len(s.steps)-1)]
	s.attempts = append(s.attempts, a)
	s.mu.Unlock()
	return step(ctx, a)
}

func (s *script) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.attempts)
}

type step = func(ctx context.Context, a *Attempt) (*Result, error)

func says(text string) step {
	return func(_ context.Context, a *Attempt) (*Result, error) {
		if a.Stream {
			return &Result{Stream: &frames{steps: textFrames(text)}}, nil
		}
		return &Result{Response: &llm.Response{
			Parts: []llm.Part{{Kind: llm.Text, Text: text}}, Finish: llm.FinishStop, RawFinish: "end_turn", Usage: llm.Usage{Input: 1000, CacheRead: 500, Output: 100},
		}}, nil
	}
}

func fails(status int, msg string) step {
	return func(context.Context, *Attempt) (*Result, error) {
		return nil, &llm.Error{Provider: "test", Status: status, Message: msg}
	}
}

// frames is a FrameReader of prepared steps: a Chunk, an error, or a func that blocks.
type frames struct {
	steps  []any
	closed bool
}

func textFrames(text string) []any {
	return []any{
		llm.Chunk{Kind: llm.ChunkStart, ID: "m1"}, llm.Chunk{Kind: llm.ChunkText, Text: text}, llm.Chunk{Kind: llm.ChunkFinish, Finish: llm.FinishStop, RawFinish: "stop"},
		llm.Chunk{Kind: llm.ChunkUsage, Usage: llm.Usage{Input: 10, Output: 5}},
	}
}

func (f *frames) Next() (Frame, error) {
	if len(f.steps) == 0 {
		return Frame{}, io.EOF
	}
	s := f.steps[0]
	f.steps = f.steps[1:]
	switch s := s.(type) {
	case error:
		return Frame{}, s
	case func() error:
		if err := s(); err != nil {
			return Frame{}, err
		}
		return f.Next()
	}
	return Frame{Chunks: []llm.Chunk{s.(llm.Chunk)}}, nil
}
func (f *frames) Buffered() bool { return false }
func (f *frames) Close() error   { f.closed = true; return nil }

// tape is a Recorder that keeps everything.
type tape struct {
	mu      sync.Mutex
	intents []Intent
	records []*Record
	refuse  error
}

func (t *tape) Admit() error { return t.refuse }
func (t *tape) Begin(i Intent) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.intents = append(t.intents, i)
	return nil
}
func (t *tape) End(r *Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.records = append(t.records, r)
}
func (t *tape) only(tb testing.TB) *span.Span {
	tb.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.records) != 1 {
		tb.Fatalf("%d records, want 1", len(t.records))
	}
	return t.records[0].Span
}

type memKV map[string][]byte

func (m memKV) Get(_ context.Context, k []byte) ([]byte, error) { return m[string(k)], nil }
func (m memKV) Put(_ context.Context, k, v []byte, _ time.Duration) error {
	m[string(k)] = v
	return nil
}

var priced = catalog.Model{Known: true, MaxOutput: 4096, Prices: catalog.Prices{
	Input: money.RateFromUSD(3e-6), Output: money.RateFromUSD(15e-6), CacheRead: money.RateFromUSD(0.3e-6), Book: "test",
}}

func rig(t *testing.T, p Policy, ups map[string]*script) (*Gateway, *tape) {
	t.Helper()
	rec := &tape{}
	g := New(Deps{Recorder: rec, KV: memKV{}, Log: slog.New(slog.DiscardHandler)})
	var ds []*Deployment
	for name, u := range ups {
		ds = append(ds, &Deployment{ID: "d-" + name, Group: name, Target: Target{Provider: "test", Model: "up-" + name}, Model: priced, Upstream: u})
	}
	g.Swap(NewTable(ds, p))
	return g, rec
}

func call(model string, stream bool) *Call {
	return &Call{
		Who: &tenant.Identity{Project: "p", Key: "k", User: "u"}, Dialect: llm.OpenAIChat, Model: model, Stream: stream,
		Body:   []byte(`{"model":"` + model + `","messages":[{"role":"user","content":"hi"}]}`),
		Decode: func() (*llm.Request, error) { return &llm.Request{Model: model}, nil },
		Encode: func(r *llm.Response, _ string) ([]byte, error) { return jsonx.MustMarshal(r.Parts), nil },
	}
}

func TestAnswerIsRecordedAndPriced(t *testing.T) {
	g, rec := rig(t, DefaultPolicy(), map[string]*script{"m": {steps: []step{says("hello")}}})
	a, err := g.Do(t.Context(), call("m", false))
	if err != nil {
		t.Fatal(err)
	}
	s := rec.only(t)
	want := money.FromUSD(1000*3e-6 + 500*0.3e-6 + 100*15e-6)
	if s.Cost.Total != want || a.Cost.Total != want || s.Cost.Source != span.CostMeasured || !s.CacheHit {
		t.Errorf("cost %v (answer %v), want %v; %+v", s.Cost, a.Cost, want, s.Usage)
	}
	if s.Status != span.OK || s.Model != "up-m" || s.Group != "m" || s.Deployment != "d-m" || s.User != "u" || len(s.Tries) != 1 || s.Finish != "end_turn" {
		t.Errorf("span %+v", s)
	}
	if len(rec.intents) != 1 || rec.intents[0].Trace != s.Trace || rec.intents[0].Reserved <= 0 || !rec.records[0].Charge {
		t.Errorf("intents %+v", rec.intents)
	}
	if g.InFlight() != 0 {
		t.Errorf("%d in flight", g.InFlight())
	}
}

func TestRetriesThenAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &script{steps: []step{fails(503, "down"), fails(429, "slow down"), says("ok")}}
		g, rec := rig(t, DefaultPolicy(), map[string]*script{"m": up})
		a, err := g.Do(t.Context(), call("m", false))
		if err != nil {
			t.Fatal(err)
		}
		if s := rec.only(t); len(s.Tries) != 3 || s.Tries[0].HTTP != 503 || s.Tries[1].Error == "" || a.Attempts != 2 {
			t.Errorf("tries %+v", s.Tries)
		}
	})
}

func TestFinalErrorsAreNotRetried(t *testing.T) {
	for _, e := range []*llm.Error{{Status: 400, Message: "bad"}, {Status: 429, Final: true, Code: "insufficient_quota"}, {Status: 422}} {
		up := &script{steps: []step{func(context.Context, *Attempt) (*Result, error) { return nil, e }}}
		g, rec := rig(t, DefaultPolicy(), map[string]*script{"m": up})
		_, err := g.Do(t.Context(), call("m", false))
		var got *llm.Error
		if !errors.As(err, &got) || got != e || up.calls() != 1 {
			t.Errorf("%v: error %v after %d calls", e, err, up.calls())
		}
		if s := rec.only(t); s.Status != span.Error || s.HTTP != e.Status || s.Cost.Total != 0 {
			t.Errorf("span %+v", s)
		}
	}
}

func TestFallsBack(t *testing.T) {
	p := DefaultPolicy()
	p.Retries = 0
	p.Fallbacks = map[string][]string{"a": {"gone", "b"}}
	p.ContextFallbacks = map[string][]string{"a": {"c"}}
	for name, tc := range map[string]struct {
		first step
		want  string // text of the answer, "" for an error
	}{
		"down":         {fails(500, "x"), "from b"},
		"bad key":      {fails(401, "x"), "from b"},
		"unreachable":  {func(context.Context, *Attempt) (*Result, error) { return nil, &llm.Error{Type: llm.TypeUnreachable} }, "from b"},
		"bad request":  {fails(400, "x"), ""},
		"too long":     {fails(400, "prompt is too long: 3 tokens > 2 maximum"), "from c"},
		"empty stream": {func(context.Context, *Attempt) (*Result, error) { return &Result{Stream: &frames{}}, nil }, "from b"},
		"early error in stream": {func(context.Context, *Attempt) (*Result, error) {
			return &Result{Stream: &frames{steps: []any{llm.Chunk{Kind: llm.ChunkStart}, &llm.Error{Status: 529, Message: "overloaded"}}}}, nil
		}, "from b"},
	} {
		g, rec := rig(t, p, map[string]*script{"a": {steps: []step{tc.first}}, "b": {steps: []step{says("from b")}}, "c": {steps: []step{says("from c")}}})
		a, err := g.Do(t.Context(), call("a", true))
		if tc.want == "" {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := drain(t, a.Stream); got != tc.want || a.Fallbacks == 0 {
			t.Errorf("%s: answer %q, fallbacks %d", name, got, a.Fallbacks)
		}
		if s := rec.only(t); len(s.Tries) != 2 || s.Group != "a" || s.Status != span.OK {
			t.Errorf("%s: span %+v", name, s)
		}
	}
}

func drain(t *testing.T, s *Stream) string {
	t.Helper()
	text := ""
	for {
		f, err := s.Next()
		if err == io.EOF {
			return text
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range f.Chunks {
			text += c.Text
		}
	}
}

func TestSlowFirstContentCommitsTheStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func() error { time.Sleep(25 * time.Second); return nil }
		src := &frames{steps: append([]any{slow}, textFrames("late")...)}
		g, rec := rig(t, DefaultPolicy(), map[string]*script{"m": {steps: []step{func(context.Context, *Attempt) (*Result, error) { return &Result{Stream: src}, nil }}}})
		start := time.Now()
		a, err := g.Do(t.Context(), call("m", true))
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 10*time.Second || !a.Stream.Pending() {
			t.Errorf("status after %v, pending %v", took, a.Stream.Pending())
		}
		if got := drain(t, a.Stream); got != "late" {
			t.Errorf("answer %q", got)
		}
		if s := rec.only(t); s.FirstToken != 25*time.Second {
			t.Errorf("first token after %v", s.FirstToken)
		}
	})
}

func TestClientGoneIsRecordedAndPaid(t *testing.T) {
	src := &frames{steps: []any{llm.Chunk{Kind: llm.ChunkStart}, llm.Chunk{Kind: llm.ChunkText, Text: "twenty bytes of text"}, llm.Chunk{Kind: llm.ChunkText, Text: "more"}}}
	g, rec := rig(t, DefaultPolicy(), map[string]*script{"m": {steps: []step{func(context.Context, *Attempt) (*Result, error) { return &Result{Stream: src}, nil }}}})
	a, err := g.Do(t.Context(), call("m", true))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Stream.Close(); err != nil {
		t.Fatal(err)
	}
	s := rec.only(t)
	if !src.closed || s.Status != span.Canceled || s.Usage.Output != 5 || !s.Usage.Estimated || s.Cost.Source != span.CostEstimated || s.Cost.Total == 0 {
		t.Errorf("closed %v, span %+v", src.closed, s)
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	up := &script{steps: []step{func(ctx context.Context, _ *Attempt) (*Result, error) { cancel(); <-ctx.Done(); return nil, ctx.Err() }}}
	g, rec := rig(t, DefaultPolicy(), map[string]*script{"m": up})
	_, err := g.Do(ctx, call("m", false))
	if !fault.Is(err, fault.Canceled) || up.calls() != 1 {
		t.Errorf("error %v after %d calls", err, up.calls())
	}
	if s := rec.only(t); s.Status != span.Canceled || s.HTTP != 499 || s.Cost.Total == 0 || !s.Usage.Estimated {
		t.Errorf("span %+v", s)
	}
}

// An upstream that refused every try has nothing to be paid for, even when the client leaves before the next one.
func TestCancelBetweenTriesIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		up := &script{steps: []step{func(context.Context, *Attempt) (*Result, error) {
			return nil, &llm.Error{Provider: "test", Status: 429, Message: "slow down", RetryAfter: 10 * time.Second}
		}}}
		g, rec := rig(t, DefaultPolicy(), map[string]*script{"m": up})
		if _, err := g.Do(ctx, call("m", false)); err == nil || up.calls() != 1 {
			t.Fatalf("error %v after %d calls", err, up.calls())
		}
		if s := rec.only(t); s.Cost.Total != 0 || !s.Usage.IsZero() || rec.records[0].Charge {
			t.Errorf("a refused call costs %+v", s)
		}
	})
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &script{steps: []step{func(ctx context.Context, _ *Attempt) (*Result, error) { <-ctx.Done(); return nil, ctx.Err() }}}
		g, rec := rig(t, DefaultPolicy(), map[string]*script{"m": up})
		_, err := g.Do(t.Context(), call("m", false))
		var e *llm.Error
		if !errors.As(err, &e) || e.HTTPStatus() != http.StatusGatewayTimeout {
			t.Errorf("error %v", err)
		}
		s := rec.only(t)
		if s.ErrorType != llm.TypeTimeout || s.Duration() != 10*time.Minute {
			t.Errorf("span %+v", s)
		}
		if s.Cost.Total == 0 || s.Cost.Source != span.CostEstimated || !rec.records[0].Charge { // the prompt was taken
			t.Errorf("a call that nobody waits for any more costs %+v", s.Cost)
		}
		if len(s.Tries) != 1 || s.Tries[0].HTTP != 0 || !strings.Contains(s.Tries[0].Error, "in time") {
			t.Errorf("tries %+v", s.Tries)
		}
	})
}

func TestBrokenStreamIsToldAndRecorded(t *testing.T) {
	cut := &llm.Error{Provider: "test", Type: llm.TypeCut, Message: "the stream ended early"}
	src := &frames{steps: []any{llm.Chunk{Kind: llm.ChunkText, Text: "part"}, cut}}
	g, rec := rig(t, DefaultPolicy(), map[string]*script{"m": {steps: []step{func(context.Context, *Attempt) (*Result, error) { return &Result{Stream: src}, nil }}}})
	a, err := g.Do(t.Context(), call("m", true))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = a.Stream.Next()
	if _, err = a.Stream.Next(); !errors.Is(err, cut) {
		t.Errorf("error %v", err)
	}
	if s := rec.only(t); s.Status != span.Error || s.ErrorType != llm.TypeCut || s.Cost.Total == 0 {
		t.Errorf("span %+v", s)
	}
	if string(rec.records[0].Response) == "" {
		t.Error("the part that was seen is not recorded")
	}
}

func TestRefusals(t *testing.T) {
	g, rec := rig(t, DefaultPolicy(), map[string]*script{"m": {steps: []step{says("x")}}})
	denied := call("m", false)
	denied.Who = &tenant.Identity{Project: "p", Models: []string{"other"}}
	for name, tc := range map[string]struct {
		call *Call
		kind fault.Kind
	}{"unknown model": {call("nope", false), fault.ModelNotFound}, "denied": {denied, fault.ModelDenied}} {
		_, err := g.Do(t.Context(), tc.call)
		var ce *CallError
		if !fault.Is(err, tc.kind) || !errors.As(err, &ce) || ce.Trace == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	rec.refuse = fault.New(fault.Unavailable, "disk low")
	if _, err := g.Do(t.Context(), call("m", false)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("admission: %v", err)
	}
	if len(rec.records) != 2 || len(rec.intents) != 0 {
		t.Errorf("%d records and %d intents; refused calls are never begun, and recorded only where there is room", len(rec.records), len(rec.intents))
	}
}

func TestCooldownMovesTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad, good := &script{steps: []step{fails(500, "x")}}, &script{steps: []step{says("ok")}}
		rec := &tape{}
		g := New(Deps{Recorder: rec, Log: slog.New(slog.DiscardHandler)})
		g.Swap(NewTable([]*Deployment{
			{ID: "bad", Group: "m", Model: priced, Upstream: bad, Weight: 1000}, {ID: "good", Group: "m", Model: priced, Upstream: good, Weight: 1},
		}, DefaultPolicy()))
		for range 20 {
			if _, err := g.Do(t.Context(), call("m", false)); err != nil {
				t.Fatal(err)
			}
		}
		if n := bad.calls(); n > 4 {
			t.Errorf("the failing deployment was tried %d times", n)
		}
		if h := g.Health(g.Deployments()[0]); h.State != "cooldown" || h.LastError == "" {
			t.Errorf("health %+v", h)
		}
	})
}

func TestThinkingComesBack(t *testing.T) {
	claude := priced
	claude.Quirks.Claude = true
	up := &script{steps: []step{func(context.Context, *Attempt) (*Result, error) {
		return &Result{Response: &llm.Response{Parts: []llm.Part{
			{Kind: llm.Reasoning, Text: "hmm", Signature: "sig"}, {Kind: llm.ToolCall, Call: &llm.Call{ID: "t1", Name: "w"}},
		}}}, nil
	}}}
	g, _ := rig(t, DefaultPolicy(), nil)
	g.Swap(NewTable([]*Deployment{{ID: "d", Group: "m", Model: claude, Upstream: up}}, DefaultPolicy()))
	second := func(user tenant.UserID, id string) *llm.Request {
		c := call("m", false)
		c.Who = &tenant.Identity{Project: "p", Key: "k", User: user}
		c.Decode = func() (*llm.Request, error) {
			return &llm.Request{Thinking: &llm.Thinking{Mode: "enabled", Budget: 2000}, Messages: []llm.Message{
				{Role: llm.User, Parts: []llm.Part{{Kind: llm.Text, Text: "go"}}},
				{Role: llm.Assistant, Parts: []llm.Part{{Kind: llm.Reasoning, Text: "hmm"}, {Kind: llm.ToolCall, Call: &llm.Call{ID: id, Name: "w"}}}},
				{Role: llm.User, Parts: []llm.Part{{Kind: llm.ToolResult, Result: &llm.Result{ID: id}}}},
			}}, nil
		}
		if _, err := g.Do(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		return up.attempts[len(up.attempts)-1].Hub
	}
	if _, err := g.Do(t.Context(), call("m", false)); err != nil {
		t.Fatal(err)
	}
	hit := second("u", "t1")
	if p := hit.Messages[1].Parts[0]; p.Signature != "sig" || len(hit.Messages[1].Parts) != 2 || hit.Thinking == nil {
		t.Errorf("hit: %+v, thinking %v", hit.Messages[1].Parts, hit.Thinking)
	}
	for name, miss := range map[string]*llm.Request{"unknown id": second("u", "other"), "another user": second("v", "t1")} {
		if miss.Thinking != nil || len(miss.Messages[1].Parts) != 1 {
			t.Errorf("%s: thinking must be dropped with its unsigned text: %+v %+v", name, miss.Thinking, miss.Messages[1].Parts)
		}
	}
}

func TestCachePoints(t *testing.T) {
	text := func(s string) []llm.Part { return []llm.Part{{Kind: llm.Text, Text: s}} }
	in := &llm.Request{
		System: text("s"), Tools: []llm.Tool{{Name: "a"}, {Name: "b"}},
		Messages: []llm.Message{{Role: llm.User, Parts: text("1")}, {Role: llm.Assistant, Parts: text("2")}, {Role: llm.User, Parts: text("3")},
			{Role: llm.User, Parts: text("3b")}, {Role: llm.Assistant, Parts: text("4")}, {Role: llm.User, Parts: text("5")}},
	}
	out := *in
	addCachePoints(&out)
	var marked []string
	for _, m := range out.Messages {
		for _, p := range m.Parts {
			if p.Cache != nil {
				marked = append(marked, p.Text)
			}
		}
	}
	if out.Tools[1].Cache == nil || out.Tools[0].Cache != nil || out.System[0].Cache == nil || len(marked) != 2 || marked[0] != "3b" || marked[1] != "5" {
		t.Errorf("marks on %v, tools %+v", marked, out.Tools)
	}
	if hasMarks(in) {
		t.Error("the shared request was written to")
	}
	own := *in
	own.System = []llm.Part{{Kind: llm.Text, Text: "s", Cache: &llm.CacheMark{}}}
	addCachePoints(&own)
	if own.Tools[1].Cache != nil {
		t.Error("a request with marks of its own must be left alone")
	}
}
