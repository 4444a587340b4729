package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/internal/catalog"
	"weir/internal/fault"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/span"
	"weir/internal/store/pebble"
)

func startTaker(t testing.TB, change func(*TakerOptions)) (*Taker, *pebble.Store) {
	t.Helper()
	s := openStore(t, t.TempDir())
	o := TakerOptions{Store: s, Model: func(_, model string) catalog.Model {
		if model != "priced" {
			return catalog.Model{}
		}
		return catalog.Model{Prices: catalog.Prices{Input: money.Rate(1e9), Output: money.Rate(2e9), Book: "test"}}
	}}
	if change != nil {
		change(&o)
	}
	taker := NewTaker(o)
	if err := taker.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(taker.Stop)
	return taker, s
}

const aTrace = "0af7651916cd43dd8448eb211c80319c"

// outside is a span as a surface hands it on.
func outside(id string, change ...func(*Incoming)) Incoming {
	in := Incoming{Span: &span.Span{
		Project: project, Trace: aTrace, ID: id, Name: "call", Kind: span.Generation, Source: "otlp",
		Start: clock, End: clock.Add(time.Second), Status: span.OK,
	}}
	for _, f := range change {
		f(&in)
	}
	return in
}

func used(in *Incoming)   { in.Span.Usage, in.Span.Model = llm.Usage{Input: 10, Output: 5}, "priced" }
func update(in *Incoming) { in.Update = true }
func below(parent string) func(*Incoming) {
	return func(in *Incoming) { in.Span.Parent = parent }
}

func accept(t testing.TB, taker *Taker, in ...Incoming) []Rejected {
	t.Helper()
	rejected, err := taker.Accept(t.Context(), in)
	if err != nil {
		t.Fatalf("accept: %v", err)
	}
	return rejected
}

func taken(t testing.TB, s span.Store, id string) *span.Span {
	t.Helper()
	got, err := s.Spans(t.Context(), project, []span.Key{{Trace: aTrace, Span: id}})
	if err != nil || len(got) != 1 {
		t.Fatalf("span %q: %d found, %v", id, len(got), err)
	}
	return got[0]
}

func TestTakesBodies(t *testing.T) {
	taker, s := startTaker(t, nil)
	one := `{"messages":[{"role":"user","content":"first question"}]}`
	two := `{"messages":[{"role":"user","content":"first question"},{"role":"assistant","content":"a"},{"role":"user","content":"second"}]}`
	plain := `{"query":"where is it?"}`
	accept(t, taker,
		outside("a", func(in *Incoming) { in.Input, in.Output = []byte(one), []byte(`{"role":"assistant","content":"a"}`) }),
		outside("b", func(in *Incoming) {
			in.Input, in.Output = []byte(two), []byte(`[{"role":"assistant","parts":[{"type":"text","content":"done"}]}]`)
		}),
		outside("c", func(in *Incoming) { in.Input, in.Output = []byte(plain), []byte(`["x"]`) }),
	)
	for id, want := range map[string]struct {
		form             span.Form
		in, preview, out string
		messages, fresh  int
	}{
		"a": {span.FormConversation, one, "first question", "a", 1, 1},
		"b": {span.FormConversation, two, "second", "done", 3, 1},
		"c": {span.FormRaw, plain, "where is it?", "x", 0, 0},
	} {
		sp := taken(t, s, id)
		wantBody(t, s, sp, sp.Input, want.in)
		if sp.Input.Form != want.form || sp.Input.Preview != want.preview || sp.Output.Preview != want.out || sp.Input.Messages != want.messages || sp.Input.New != want.fresh {
			t.Errorf("%s: input %+v, output preview %q; want %+v", id, sp.Input, sp.Output.Preview, want)
		}
	}
}

func TestTakesTheSameSpanAgain(t *testing.T) {
	taker, s := startTaker(t, nil)
	in := func() Incoming {
		return outside("a", used, func(in *Incoming) { in.Span.Tags, in.Input = []string{"x"}, []byte(`{"q":1}`) })
	}
	accept(t, taker, in(), in())
	first := taken(t, s, "a")
	first.Covered = true
	if err := s.Append(t.Context(), true, &span.Batch{Span: first}); err != nil {
		t.Fatal(err)
	}
	accept(t, taker, in())
	again := taken(t, s, "a")
	if !again.Covered || !slices.Equal(again.Tags, []string{"x"}) || again.Cost != first.Cost || again.Input != first.Input {
		t.Fatalf("after a retry the span is %+v; before %+v", again, first)
	}
	if spans, err := s.Trace(t.Context(), project, aTrace); err != nil || len(spans) != 1 {
		t.Fatalf("the trace has %d spans, %v", len(spans), err)
	}
}

func TestExperiment(t *testing.T) {
	taker, s := startTaker(t, nil)
	of := func(id, experiment string) Incoming {
		return outside(id, func(in *Incoming) { in.Span.Experiment = experiment })
	}
	for _, step := range []struct{ id, given, want string }{
		{"a", "", span.DefaultExperiment}, {"a", "7", "7"}, {"a", "", "7"}, {"b", "9", "9"},
	} {
		accept(t, taker, of(step.id, step.given))
		if got := taken(t, s, step.id).Experiment; got != step.want {
			t.Errorf("span %s reported for %q is in %q, want %q", step.id, step.given, got, step.want)
		}
	}
}

func TestUpdatesMerge(t *testing.T) {
	late := clock.Add(5 * time.Second)
	running := func(in *Incoming) { in.Span.Status, in.Span.End = span.Running, clock }
	steps := map[string]struct {
		in   []Incoming
		want func(*span.Span) error
	}{
		"later says more": {
			[]Incoming{
				outside("a", func(in *Incoming) {
					in.Span.Model, in.Span.Metadata, in.Span.Tags = "m1", []byte(`{"a":{"x":1},"k":1}`), []string{"one"}
				}),
				outside("a", update, func(in *Incoming) {
					in.Span.Name, in.Span.Metadata, in.Span.Tags, in.Span.Session = "", []byte(`{"a":{"y":2},"k":2}`), []string{"two", "one"}, "s"
				}),
			}, func(s *span.Span) error {
				var m struct {
					A map[string]int
					K int
				}
				if err := json.Unmarshal(s.Metadata, &m); err != nil {
					return err
				}
				return want(s.Name == "call" && s.Model == "m1" && s.Session == "s" && m.A["x"] == 1 && m.A["y"] == 2 && m.K == 2 && slices.Equal(s.Tags, []string{"one", "two"}))
			},
		},
		"running, then ended": {
			[]Incoming{outside("a", running), outside("a", func(in *Incoming) { in.Span.End = late })},
			func(s *span.Span) error { return want(s.Status == span.OK && s.End.Equal(late)) },
		},
		"ended, then a late start": {
			[]Incoming{outside("a", func(in *Incoming) { in.Span.Status = span.Error }), outside("a", running, func(in *Incoming) { in.Span.Session = "late" })},
			func(s *span.Span) error {
				return want(s.Status == span.Error && s.End.Equal(clock.Add(time.Second)) && s.Session == "late")
			},
		},
		"an update widens the times": {
			[]Incoming{outside("a"), outside("a", update, func(in *Incoming) { in.Span.Start, in.Span.End = clock.Add(-time.Second), late })},
			func(s *span.Span) error { return want(s.Start.Equal(clock.Add(-time.Second)) && s.End.Equal(late)) },
		},
		"an update of what has not come, then the span": {
			[]Incoming{
				outside("a", update, running, func(in *Incoming) {
					in.Span.Name, in.Span.Start, in.Span.End = "", time.Time{}, time.Time{}
					in.Output = []byte(`"answer"`)
				}),
				outside("a"),
			}, func(s *span.Span) error {
				return want(s.Status == span.OK && s.Start.Equal(clock) && s.End.Equal(clock.Add(time.Second)) && s.Name == "call" && s.Output.Preview == "answer")
			},
		},
		"usage comes with the update": {
			[]Incoming{outside("a", func(in *Incoming) { in.Span.Model = "priced" }), outside("a", update, func(in *Incoming) { in.Span.Usage = llm.Usage{Input: 10, Output: 5} })},
			func(s *span.Span) error { return want(s.Cost.Source == span.CostMeasured && s.Cost.Total == 20_000) },
		},
		"the gateway's own record stays": {
			[]Incoming{
				outside("a", used, func(in *Incoming) { in.Span.Source, in.Span.Group = "", "claude" }),
				outside("a", func(in *Incoming) {
					in.Span.Group, in.Span.Name, in.Span.Tags, in.Span.Usage = "other", "other", []string{"t"}, llm.Usage{Input: 99}
				}),
			}, func(s *span.Span) error {
				return want(s.Source == "" && s.Group == "claude" && s.Name == "call" && s.Usage.Input == 10 && slices.Equal(s.Tags, []string{"t"}))
			},
		},
	}
	for name, c := range steps {
		for _, together := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/together=%v", name, together), func(t *testing.T) {
				taker, s := startTaker(t, nil)
				if together {
					accept(t, taker, clones(c.in)...)
				} else {
					for _, in := range clones(c.in) {
						accept(t, taker, in)
					}
				}
				if sp := taken(t, s, "a"); c.want(sp) != nil {
					t.Fatalf("the span is %+v: %v", sp, c.want(sp))
				}
			})
		}
	}
}

func clones(in []Incoming) []Incoming {
	out := slices.Clone(in)
	for i := range out {
		c := *out[i].Span
		out[i].Span = &c
	}
	return out
}

func want(ok bool) error {
	if !ok {
		return errors.New("not as wanted")
	}
	return nil
}

func TestCoveredInAnyOrder(t *testing.T) {
	orders := map[string][][]Incoming{
		"one request":      {{outside("parent", used), outside("child", used, below("parent"))}},
		"one, turned":      {{outside("child", used, below("parent")), outside("parent", used)}},
		"parent first":     {{outside("parent", used)}, {outside("child", used, below("parent"))}},
		"child first":      {{outside("child", used, below("parent"))}, {outside("parent", used)}},
		"usage by update":  {{outside("parent")}, {outside("child", used, below("parent"))}, {outside("parent", used, update)}},
		"child sent twice": {{outside("child", used, below("parent"))}, {outside("parent", used)}, {outside("child", used, below("parent"))}},
	}
	for name, requests := range orders {
		t.Run(name, func(t *testing.T) {
			taker, s := startTaker(t, nil)
			for _, r := range requests {
				accept(t, taker, clones(r)...)
			}
			if !taken(t, s, "parent").Covered || taken(t, s, "child").Covered {
				t.Fatal("the parent is covered and the child counts")
			}
		})
	}
	t.Run("a child without usage", func(t *testing.T) {
		taker, s := startTaker(t, nil)
		accept(t, taker, outside("parent", used), outside("child", below("parent")))
		if taken(t, s, "parent").Covered {
			t.Fatal("nothing covers the parent")
		}
	})
}

// A call through the gateway joins the trace of the program's own span by traceparent.
func TestGatewayCallCoversItsParent(t *testing.T) {
	for _, gatewayFirst := range []bool{true, false} {
		r, s := startRecorder(t, nil)
		taker := NewTaker(TakerOptions{Store: s})
		if err := taker.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(taker.Stop)
		rec := aRecord("", "")
		rec.Span.Trace, rec.Span.Parent, rec.Span.Usage = aTrace, "app", llm.Usage{Input: 10, Output: 5}
		if gatewayFirst {
			record(t, r, rec)
			accept(t, taker, outside("app", used))
		} else {
			accept(t, taker, outside("app", used))
			record(t, r, rec)
		}
		if !taken(t, s, "app").Covered || taken(t, s, rec.Span.ID).Covered {
			t.Fatalf("gateway first %v: the program's span is covered and the call counts", gatewayFirst)
		}
	}
}

func TestASpanDoesNotGrowWithoutEnd(t *testing.T) {
	taker, s := startTaker(t, nil)
	for i := range 8 {
		accept(t, taker, outside("a", update, func(in *Incoming) {
			in.Span.Attributes = fmt.Appendf(nil, `{"k%d":"%s"}`, i, strings.Repeat("x", 200<<10))
			in.Span.Tags = []string{fmt.Sprint(i)}
		}))
	}
	sp := taken(t, s, "a")
	if n := len(sp.Attributes); n > maxRecord || n < 800<<10 || len(sp.Tags) != 8 {
		t.Fatalf("%d bytes of attributes, tags %v", n, sp.Tags)
	}
}

func TestPricing(t *testing.T) {
	taker, s := startTaker(t, nil)
	accept(t, taker,
		outside("priced", used),
		outside("client", used, func(in *Incoming) { in.Span.Cost.Total = 7 }),
		outside("unknown", used, func(in *Incoming) { in.Span.Model = "nobody knows" }),
		outside("none"),
	)
	for id, want := range map[string]span.Cost{
		"priced":  {Total: 20_000, Input: 10_000, Output: 10_000, Source: span.CostMeasured, Book: "test"},
		"client":  {Total: 7, Source: span.CostClient},
		"unknown": {Source: span.CostUnpriced},
		"none":    {},
	} {
		if got := taken(t, s, id).Cost; got != want {
			t.Errorf("%s costs %+v, want %+v", id, got, want)
		}
	}
}

func TestRejectsSingly(t *testing.T) {
	bad := map[string]func(*Incoming){
		"empty trace":       func(in *Incoming) { in.Span.Trace = "" },
		"empty id":          func(in *Incoming) { in.Span.ID = "" },
		"oversized id":      func(in *Incoming) { in.Span.ID = strings.Repeat("x", 300) },
		"id of controls":    func(in *Incoming) { in.Span.ID = "a\nb" },
		"id not UTF-8":      func(in *Incoming) { in.Span.Trace = "\xff\xfe" },
		"huge attributes":   func(in *Incoming) { in.Span.Attributes = []byte(`{"a":"` + strings.Repeat("x", 10<<20) + `"}`) },
		"broken metadata":   func(in *Incoming) { in.Span.Metadata = []byte(`{"a":`) },
		"no project at all": func(in *Incoming) { in.Span.Project = "" },
	}
	for name, change := range bad {
		t.Run(name, func(t *testing.T) {
			taker, s := startTaker(t, nil)
			rejected := accept(t, taker, outside("before"), outside("bad", change), outside("after"))
			if len(rejected) != 1 || rejected[0].Index != 1 || !(fault.Is(rejected[0].Err, fault.Invalid) || fault.Is(rejected[0].Err, fault.TooLarge)) {
				t.Fatalf("rejected %+v, want the second", rejected)
			}
			taken(t, s, "before")
			taken(t, s, "after")
			if st := taker.Stats(); st.Accepted != 2 || st.Rejected != 1 || st.Spans != 0 || st.Bytes != 0 {
				t.Fatalf("counted %+v", st)
			}
		})
	}
}

func TestAbsurdTimes(t *testing.T) {
	far := time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)
	taker, s := startTaker(t, nil)
	if r := accept(t, taker,
		outside("future", func(in *Incoming) { in.Span.Start, in.Span.End = far, far }),
		outside("backwards", func(in *Incoming) { in.Span.End = clock.Add(-time.Hour) }),
		outside("none", func(in *Incoming) { in.Span.Start, in.Span.End = time.Time{}, time.Time{} }),
		outside("epoch", func(in *Incoming) { in.Span.Start = time.Unix(0, 0) }),
		outside("self", func(in *Incoming) { in.Span.Parent = "self" }),
	); len(r) != 0 {
		t.Fatalf("rejected %v", r)
	}
	if sp := taken(t, s, "future"); sp.Start.Year() != 2260 || !strings.Contains(string(sp.Attributes), "weir.raw.start") {
		t.Errorf("a far future became %v with %s", sp.Start, sp.Attributes)
	}
	if sp := taken(t, s, "backwards"); !sp.End.Equal(sp.Start) || !strings.Contains(string(sp.Attributes), "weir.raw.end") {
		t.Errorf("an end before the start became %v with %s", sp.End, sp.Attributes)
	}
	if sp := taken(t, s, "none"); time.Since(sp.Start) > time.Minute {
		t.Errorf("a span without times starts at %v", sp.Start)
	}
	if sp := taken(t, s, "epoch"); !sp.Start.Equal(sp.End) {
		t.Errorf("a span without a start starts at %v", sp.Start)
	}
	if sp := taken(t, s, "self"); sp.Parent != "" {
		t.Error("a span is not its own parent")
	}
	if today := span.DayOf(time.Now()); taken(t, s, "future").Day != today {
		t.Errorf("home is day %d, not that of the receipt", taken(t, s, "future").Day)
	}
}

// held is a store whose commits wait.
type held struct {
	span.Store
	gate  chan struct{}
	began chan struct{} // capacity 1: a commit waits
	err   error
}

func (h *held) Append(ctx context.Context, sync bool, b ...*span.Batch) error {
	select {
	case h.began <- struct{}{}:
	default:
	}
	<-h.gate
	if h.err != nil {
		return h.err
	}
	return h.Store.Append(ctx, sync, b...)
}

func TestRefusesWhenFull(t *testing.T) {
	h := &held{Store: openStore(t, t.TempDir()), gate: make(chan struct{}), began: make(chan struct{}, 1)}
	taker, _ := startTaker(t, func(o *TakerOptions) { o.Store, o.Spans = h, 3 })
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := taker.Accept(context.Background(), []Incoming{outside("a"), outside("b"), outside("c"), outside("d")}); err != nil {
			t.Errorf("a large request alone: %v", err)
		}
	})
	<-h.began
	_, err := taker.Accept(t.Context(), []Incoming{outside("e")})
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.RateLimited || f.RetryAfter == 0 {
		t.Fatalf("over the bound: %v", err)
	}
	close(h.gate)
	wg.Wait()
	accept(t, taker, outside("e"))
	if st := taker.Stats(); st.Refused != 1 || st.Accepted != 5 {
		t.Fatalf("counted %+v", st)
	}
}

func TestRefusesWhatTheStoreCannotTake(t *testing.T) {
	h := &held{Store: openStore(t, t.TempDir()), gate: make(chan struct{}), err: fault.New(fault.Unavailable, "disk")}
	close(h.gate)
	reason := error(nil)
	taker, _ := startTaker(t, func(o *TakerOptions) { o.Store, o.Refusing = h, func() error { return reason } })
	if _, err := taker.Accept(t.Context(), []Incoming{outside("a")}); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a failing store: %v", err)
	}
	reason = refuse("disk low")
	if _, err := taker.Accept(t.Context(), []Incoming{outside("a")}); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a full disk: %v", err)
	}
	h.err, reason = nil, nil
	accept(t, taker, outside("a"))
	taken(t, h, "a")
	taker.Stop()
	if _, err := taker.Accept(t.Context(), []Incoming{outside("b")}); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a stopped taker: %v", err)
	}
}

// A day that is dropped while spans of it are prepared costs a second try, nothing else.
func TestTakesAcrossADroppedDay(t *testing.T) {
	taker, s := startTaker(t, nil)
	body := func(in *Incoming) { in.Input = []byte(`{"messages":[{"role":"user","content":"hello"}]}`) }
	accept(t, taker, outside("a", body))
	if err := s.DropDay(t.Context(), project, taken(t, s, "a").Day); err != nil {
		t.Fatal(err)
	}
	accept(t, taker, outside("b", body))
	sp := taken(t, s, "b")
	wantBody(t, s, sp, sp.Input, `{"messages":[{"role":"user","content":"hello"}]}`)
}

func TestConcurrentRequests(t *testing.T) {
	taker, s := startTaker(t, nil)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 20 {
				id := fmt.Sprintf("s%d-%d", w, i)
				in := []Incoming{outside(id, used, below(fmt.Sprintf("s%d-%d", w, i/2))), outside("shared", update, func(in *Incoming) { in.Span.Tags = []string{fmt.Sprint(w)} })}
				if r, err := taker.Accept(t.Context(), in); err != nil || len(r) > 0 {
					t.Errorf("%v, %v", r, err)
				}
			}
		})
	}
	wg.Wait()
	spans, err := s.Trace(t.Context(), project, aTrace)
	if err != nil || len(spans) != 161 {
		t.Fatalf("%d spans, %v", len(spans), err)
	}
	if tags := taken(t, s, "shared").Tags; len(tags) != 8 {
		t.Fatalf("tags are %v", tags)
	}
}
