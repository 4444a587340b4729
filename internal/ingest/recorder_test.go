package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/id"
	"weir/internal/span"
	"weir/internal/store/pebble"
	"weir/internal/tenant"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

const project = tenant.DefaultProject

func openStore(t testing.TB, dir string) *pebble.Store {
	t.Helper()
	s, err := pebble.Open(dir, pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// startRecorder gives a running Recorder on a fresh store.
func startRecorder(t testing.TB, change func(*Options)) (*Recorder, *pebble.Store) {
	t.Helper()
	s := openStore(t, t.TempDir())
	o := Options{Store: s, KV: s, Dir: t.TempDir(), Gather: time.Millisecond}
	if change != nil {
		change(&o)
	}
	r := New(o)
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	return r, s
}

var clock = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func aSpan() *span.Span {
	return &span.Span{
		Project: project, Trace: id.Trace(), ID: id.Span(), Name: "chat", Kind: span.Generation, Operation: "chat",
		Start: clock, End: clock.Add(time.Second), Status: span.OK, Group: "claude", Key: "key",
		Cost: span.Cost{Total: 5, Source: span.CostMeasured},
	}
}

func aRecord(request, response string) *gateway.Record {
	rec := &gateway.Record{Span: aSpan(), Charge: true}
	if request != "" {
		rec.Request = []byte(request)
	}
	if response != "" {
		rec.Response = []byte(response)
	}
	return rec
}

func flush(t testing.TB, r *Recorder) {
	t.Helper()
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// record runs one call through the recorder and returns it as stored.
func record(t testing.TB, r *Recorder, rec *gateway.Record) *span.Span {
	t.Helper()
	trace, id := rec.Span.Trace, rec.Span.ID
	r.End(rec)
	flush(t, r)
	spans, err := r.o.Store.Spans(t.Context(), project, []span.Key{{Trace: trace, Span: id}})
	if err != nil || len(spans) != 1 {
		t.Fatalf("recorded call is not there: %v, %v", spans, err)
	}
	return spans[0]
}

func wantBody(t *testing.T, s span.Store, sp *span.Span, ref span.Ref, want string) {
	t.Helper()
	got, err := Body(t.Context(), s, sp, ref)
	if err != nil || string(got) != want {
		t.Fatalf("body is %q, %v; want %q", got, err, want)
	}
}

func TestRecordsACall(t *testing.T) {
	r, s := startRecorder(t, nil)
	req := "{ \"model\":\"m\", \"messages\": [ {\"role\":\"user\",\"content\":\"こんにちは\"} ],\n\"stream\":true}"
	ans := `{"choices":[{"message":{"role":"assistant","content":"hi"}}]}`
	rec := aRecord(req, ans)
	i := gateway.Intent{Trace: rec.Span.Trace, Span: rec.Span.ID, Project: project, Start: clock}
	if err := errors.Join(r.Admit(), r.Begin(i)); err != nil {
		t.Fatal(err)
	}
	sp := record(t, r, rec)
	wantBody(t, s, sp, sp.Input, req)
	wantBody(t, s, sp, sp.Output, ans)
	if sp.Input.Preview != "こんにちは" || sp.Output.Preview != "hi" || sp.Input.Messages != 1 || sp.Input.New != 1 || sp.Input.Size != len(req) {
		t.Fatalf("input %+v, output %+v", sp.Input, sp.Output)
	}
	if sp.Session != "thread-"+sp.Trace || sp.SessionSource != "threaded" || sp.Day != span.DayOf(clock) {
		t.Fatalf("session %q by %q, day %d", sp.Session, sp.SessionSource, sp.Day)
	}
	entries := ledgerOf(t, s)
	if len(entries) != 1 || entries[0].Cost != 5 || entries[0].Model != "claude" || entries[0].Failed {
		t.Fatalf("ledger: %+v", entries)
	}
	if st := r.Stats(); st.InFlight != 0 || st.Recorded != 1 {
		t.Fatalf("stats: %+v", st)
	}
}

func ledgerOf(t *testing.T, s span.Store) (all []span.LedgerEntry) {
	t.Helper()
	if err := s.Ledger(t.Context(), 0, func(e span.LedgerEntry) bool { all = append(all, e); return true }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRecordForms(t *testing.T) {
	r, s := startRecorder(t, nil)
	for name, c := range map[string]struct {
		request, response string
		form              span.Form
		in, out           string
	}{
		"no bodies":    {"", "", span.FormNone, "", ""},
		"embedding":    {`{"input":["one","two"]}`, `{"data":[]}`, span.FormRaw, "one", ""},
		"invalid utf8": {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\xff\"}]}", "\xff", span.FormConversation, "a\uFFFD", ""},
		"tool call": {
			`{"messages":[{"role":"user","content":"do it"},{"role":"assistant","content":"ok"},{"role":"user","content":[{"type":"tool_result","content":"out"}]}]}`,
			`{"role":"assistant","content":[{"type":"tool_use","name":"write_file","input":{}}]}`, span.FormConversation, "do it", "write_file",
		},
		"long text": {`{"messages":[{"role":"user","content":"` + strings.Repeat("語", 500) + `"}]}`, "", span.FormConversation, strings.Repeat("語", previewRunes), ""},
	} {
		t.Run(name, func(t *testing.T) {
			sp := record(t, r, aRecord(c.request, c.response))
			if sp.Input.Form != c.form || sp.Input.Preview != c.in || sp.Output.Preview != c.out {
				t.Fatalf("input %+v, output %+v", sp.Input, sp.Output)
			}
			wantBody(t, s, sp, sp.Input, c.request)
			wantBody(t, s, sp, sp.Output, c.response)
		})
	}
}

func TestMetadataOnly(t *testing.T) {
	r, _ := startRecorder(t, func(o *Options) { o.BodiesOff = true })
	sp := record(t, r, aRecord(`{"messages":[{"role":"user","content":"secret"}]}`, `{"x":1}`))
	if sp.Input != (span.Ref{}) || sp.Output != (span.Ref{}) {
		t.Fatalf("bodies were recorded: %+v %+v", sp.Input, sp.Output)
	}
}

func TestRedactionComesFirst(t *testing.T) {
	r, s := startRecorder(t, func(o *Options) {
		o.Redact = func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("secret"), []byte("***")) }
	})
	sp := record(t, r, aRecord(`{"messages":[{"role":"user","content":"secret"}]}`, `{"role":"assistant","content":"secret"}`))
	wantBody(t, s, sp, sp.Input, `{"messages":[{"role":"user","content":"***"}]}`)
	wantBody(t, s, sp, sp.Output, `{"role":"assistant","content":"***"}`)
	if sp.Input.Preview != "***" || sp.Output.Preview != "***" {
		t.Fatalf("previews: %q %q", sp.Input.Preview, sp.Output.Preview)
	}
}

func TestSpansAreSeenAfterCommit(t *testing.T) {
	var s *pebble.Store
	seen := make(chan error, 10)
	charged := make(chan struct{}, 10)
	r, store := startRecorder(t, func(o *Options) {
		o.OnSpan = func(sp *span.Span) {
			_, err := s.Trace(context.Background(), sp.Project, sp.Trace)
			seen <- err
		}
		o.OnCharge = func() { charged <- struct{}{} }
	})
	s = store
	record(t, r, aRecord("", ""))
	if err := <-seen; err != nil {
		t.Fatalf("OnSpan ran before the commit: %v", err)
	}
	<-charged
}

// broken fails until it is healed.
type brokenStore struct {
	span.Store
	err   atomic.Pointer[error]
	tried chan struct{}
}

func (b *brokenStore) set(err error) { b.err.Store(&err) }

func (b *brokenStore) Append(ctx context.Context, sync bool, batches ...*span.Batch) error {
	if err := *b.err.Load(); err != nil {
		select {
		case b.tried <- struct{}{}:
		default:
		}
		return err
	}
	return b.Store.Append(ctx, sync, batches...)
}

func breakStore(o *Options, err error) *brokenStore {
	b := &brokenStore{Store: o.Store, tried: make(chan struct{}, 1)}
	b.set(err)
	o.Store = b
	return b
}

func TestStoreErrorIsRetriedAndRefusesNewCalls(t *testing.T) {
	var b *brokenStore
	r, s := startRecorder(t, func(o *Options) { b = breakStore(o, errors.New("disk on fire")) })
	rec := aRecord(`{"messages":[{"role":"user","content":"x"}]}`, "")
	trace := rec.Span.Trace
	r.End(rec)
	<-b.tried
	<-b.tried // the second try comes after Admit was told
	err := r.Admit()
	if !fault.Is(err, fault.Unavailable) || err.(*fault.Error).RetryAfter == 0 {
		t.Fatalf("Admit while the store fails: %v", err)
	}
	b.set(nil)
	flush(t, r)
	spans, err := s.Trace(t.Context(), project, trace)
	if err != nil {
		t.Fatal(err)
	}
	wantBody(t, s, spans[0], spans[0].Input, `{"messages":[{"role":"user","content":"x"}]}`) // the failed try's blobs too
	if err := r.Admit(); err != nil {
		t.Fatalf("Admit after the store healed: %v", err)
	}
	if len(ledgerOf(t, s)) != 1 {
		t.Fatal("a retried call is charged once")
	}
}

// A bug that a client's bytes can trigger costs the bodies of that call, not the process and not the charge.
func TestPanicOverABodyCostsTheBodyOnly(t *testing.T) {
	r, s := startRecorder(t, func(o *Options) {
		o.Redact = func(b []byte) []byte {
			if bytes.Contains(b, []byte("boom")) {
				panic("bug")
			}
			return b
		}
	})
	good, bad := aRecord(`{"messages":[1]}`, ""), aRecord(`{"messages":["boom"]}`, `{"ok":1}`)
	bad.Span.Session = "s"
	r.End(good)
	sp := record(t, r, bad)
	if sp.Input.Form != span.FormNone || sp.Output.Form != span.FormNone || r.Stats().Lost != 0 {
		t.Errorf("span %+v, %d lost", sp, r.Stats().Lost)
	}
	charged := 0
	if err := s.Ledger(t.Context(), 0, func(span.LedgerEntry) bool { charged++; return true }); err != nil || charged != 2 {
		t.Errorf("%d charges, %v", charged, err)
	}
}

func TestInvalidRecordDoesNotBlockOthers(t *testing.T) {
	r, s := startRecorder(t, func(o *Options) { o.Gather = time.Hour })
	bad := aRecord("", "")
	bad.Span.ID = ""
	good := []*gateway.Record{aRecord(`{"messages":[1]}`, ""), aRecord(`{"messages":[1]}`, "")}
	traces := []string{good[0].Span.Trace, good[1].Span.Trace}
	r.End(good[0])
	r.End(bad)
	r.End(good[1])
	flush(t, r)
	for _, trace := range traces {
		spans, err := s.Trace(t.Context(), project, trace)
		if err != nil {
			t.Fatal(err)
		}
		wantBody(t, s, spans[0], spans[0].Input, `{"messages":[1]}`)
	}
	if st := r.Stats(); st.Recorded != 2 || st.Lost != 1 {
		t.Fatalf("stats: %+v", st)
	}
}

// droppingStore loses the day between the recorder's look-up and its commit.
type droppingStore struct {
	span.Store
	armed atomic.Bool
}

func (d *droppingStore) Home(ctx context.Context, p tenant.ProjectID, trace string, day span.Day) (span.Day, error) {
	home, err := d.Store.Home(ctx, p, trace, day)
	if err == nil && d.armed.Swap(false) {
		err = d.DropDay(ctx, p, home)
	}
	return home, err
}

func TestDroppedDayIsPreparedAgain(t *testing.T) {
	var d *droppingStore
	r, s := startRecorder(t, func(o *Options) { d = &droppingStore{Store: o.Store}; o.Store = d })
	body := `{"messages":[{"role":"user","content":"a"}]}`
	before := record(t, r, aRecord(body, ""))
	d.armed.Store(true)
	sp := record(t, r, aRecord(body, ""))
	wantBody(t, s, sp, sp.Input, body)
	if sp.Day == before.Day {
		t.Fatal("the test did not drop the day")
	}
}

func TestAdmitRefusesAtHighWater(t *testing.T) {
	r, _ := startRecorder(t, func(o *Options) { o.QueueCalls, o.Gather = 8, time.Hour })
	for range 5 {
		r.End(aRecord("", ""))
	}
	if err := r.Admit(); err != nil {
		t.Fatalf("below three quarters: %v", err)
	}
	r.End(aRecord("", ""))
	err := r.Admit()
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "waiting") {
		t.Fatalf("at three quarters: %v", err)
	}
	flush(t, r)
	if err := r.Admit(); err != nil {
		t.Fatalf("after the queue drained: %v", err)
	}
	if r.Stats().Refused != 1 {
		t.Fatal("what was refused is counted")
	}
}

func TestQueueBlocksWhenFull(t *testing.T) {
	q := newQueue(2, 10*recordOverhead)
	q.put(aRecord("", ""))
	q.put(aRecord("", ""))
	entered := make(chan bool)
	go func() { entered <- q.put(aRecord("", "")) }()
	select {
	case <-entered:
		t.Fatal("a full queue must block")
	case <-time.After(10 * time.Millisecond):
	}
	if n := len(q.take(1, 1<<20, 0)); n != 1 {
		t.Fatalf("took %d", n)
	}
	if !<-entered {
		t.Fatal("the blocked record must get in")
	}
	if n := len(q.take(10, 1<<20, 0)); n != 2 {
		t.Fatalf("took %d", n)
	}
	q.put(&gateway.Record{Request: make([]byte, 1<<20)}) // alone, larger than the bound
	q.close()
	if q.put(aRecord("", "")) || len(q.take(10, 1, 0)) != 1 || q.take(10, 1, 0) != nil {
		t.Fatal("a closed queue takes nothing and gives what it has")
	}
}

func TestDiskLow(t *testing.T) {
	var free atomic.Uint64
	r, _ := startRecorder(t, func(o *Options) {
		o.MinFree, o.Poll = 100, time.Hour
		o.DiskFree = func() (uint64, error) { return free.Load(), nil }
	})
	if err := r.Admit(); !fault.Is(err, fault.Unavailable) || err.(*fault.Error).Msg != "disk low" {
		t.Fatalf("Admit on a full disk: %v", err)
	}
	record(t, r, aRecord("", "")) // running calls are recorded
	free.Store(100)
	r.check()
	if err := r.Admit(); err != nil {
		t.Fatalf("service must return by itself: %v", err)
	}
}

func TestUnhealthyStore(t *testing.T) {
	sick := errors.New("stall")
	r, _ := startRecorder(t, func(o *Options) { o.Poll, o.Health = time.Hour, func() error { return sick } })
	if err := r.Admit(); !fault.Is(err, fault.Unavailable) || !errors.Is(err, sick) {
		t.Fatalf("Admit with a sick store: %v", err)
	}
	sick = nil
	r.check()
	if err := r.Admit(); err != nil {
		t.Fatal(err)
	}
}

func TestStopDrainsThenRefuses(t *testing.T) {
	r, s := startRecorder(t, func(o *Options) { o.Gather = time.Hour })
	var traces []string
	for range 20 {
		rec := aRecord("", "")
		traces = append(traces, rec.Span.Trace)
		r.End(rec)
	}
	r.Stop()
	for _, trace := range traces {
		if _, err := s.Trace(t.Context(), project, trace); err != nil {
			t.Fatal(err)
		}
	}
	if r.Admit() == nil || r.Begin(gateway.Intent{}) == nil {
		t.Fatal("a stopped recorder admits nothing")
	}
	r.End(aRecord("", ""))
	if r.Stats().Lost != 1 {
		t.Fatal("a call after the end is counted as lost")
	}
}

func TestStopGivesUpOnABrokenStore(t *testing.T) {
	var dir string
	r, s := startRecorder(t, func(o *Options) {
		breakStore(o, errors.New("gone"))
		o.Drain, dir = time.Millisecond, o.Dir
	})
	rec := aRecord("", "")
	trace := rec.Span.Trace
	if err := r.Begin(gateway.Intent{Trace: trace, Span: rec.Span.ID, Project: project, Start: clock, Reserved: 9}); err != nil {
		t.Fatal(err)
	}
	r.End(rec)
	r.Stop()
	again := New(Options{Store: s, KV: s, Dir: dir})
	if err := again.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer again.Stop()
	spans, err := s.Trace(t.Context(), project, trace)
	if err != nil || spans[0].Status != span.Interrupted || spans[0].Cost.Total != 9 {
		t.Fatalf("the next start must find the call: %+v, %v", spans, err)
	}
}

func TestRecovery(t *testing.T) {
	s := openStore(t, t.TempDir())
	dir := t.TempDir()
	first := New(Options{Store: s, KV: s, Dir: dir})
	if err := first.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	done, open := anIntent(), anIntent()
	for _, i := range []gateway.Intent{done, open} {
		if err := first.Begin(i); err != nil {
			t.Fatal(err)
		}
	}
	rec := &gateway.Record{Span: aSpan(), Charge: true}
	rec.Span.Trace, rec.Span.ID, rec.Span.Project = done.Trace, done.Span, done.Project
	first.End(rec)
	flush(t, first)
	file, err := os.ReadFile(first.intents.path)
	if err != nil {
		t.Fatal(err)
	}
	first.Stop()
	if err := os.WriteFile(first.intents.path, file, 0o600); err != nil { // as a kill would have left it
		t.Fatal(err)
	}
	for range 2 { // the second start finds nothing
		second := New(Options{Store: s, KV: s, Dir: dir})
		if err := second.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		second.Stop()
	}
	spans, err := s.Trace(t.Context(), project, done.Trace)
	if err != nil || len(spans) != 1 || spans[0].Status != span.OK {
		t.Fatalf("a call that ended stays as it was: %+v, %v", spans, err)
	}
	spans, err = s.Trace(t.Context(), project, open.Trace)
	if err != nil || len(spans) != 1 {
		t.Fatalf("the open call: %+v, %v", spans, err)
	}
	got := spans[0]
	if got.Status != span.Interrupted || got.Experiment != span.DefaultExperiment || got.ErrorType != "interrupted" || got.Key != open.Key || got.Group != open.Group ||
		got.Cost.Total != open.Reserved || got.Cost.Source != span.CostEstimated || !got.Start.Equal(open.Start) || got.End.Before(got.Start) {
		t.Fatalf("interrupted span: %+v", got)
	}
	entries := ledgerOf(t, s)
	if len(entries) != 2 || entries[1].Cost != open.Reserved || !entries[1].Failed || entries[1].User != open.User {
		t.Fatalf("ledger: %+v", entries)
	}
}

func TestManyWritersLoseNothing(t *testing.T) {
	r, s := startRecorder(t, func(o *Options) { o.QueueCalls = 16 })
	const writers, each = 8, 50
	var mu sync.Mutex
	var traces []string
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				rec := aRecord(fmt.Sprintf(`{"messages":[{"role":"user","content":"%d"}]}`, w), fmt.Sprintf(`{"n":%d}`, i))
				mu.Lock()
				traces = append(traces, rec.Span.Trace)
				mu.Unlock()
				r.End(rec)
			}
		})
	}
	wg.Wait()
	flush(t, r)
	for _, trace := range traces {
		if _, err := s.Trace(t.Context(), project, trace); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(ledgerOf(t, s)); n != writers*each {
		t.Fatalf("%d charges, want %d", n, writers*each)
	}
}

type rows struct {
	mu      sync.Mutex
	applied uint64
	sum     int64
	calls   []int
	fail    error
	changed chan struct{}
}

func (r *rows) Applied(context.Context) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.applied, nil
}

func (r *rows) Apply(_ context.Context, entries []span.LedgerEntry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	for _, e := range entries {
		if e.Seq != r.applied+1 {
			return fmt.Errorf("entry %d after %d", e.Seq, r.applied)
		}
		r.applied = e.Seq
		r.sum += int64(e.Cost)
	}
	r.calls = append(r.calls, len(entries))
	select {
	case r.changed <- struct{}{}:
	default:
	}
	return nil
}

func TestSettler(t *testing.T) {
	rec, s := startRecorder(t, nil)
	const before = settleBatch + 5
	for range before {
		rec.End(aRecord("", ""))
	}
	flush(t, rec)
	totals := &rows{changed: make(chan struct{}, 1)}
	settler := NewSettler(s, totals, rec.o.Log, time.Hour)
	if err := settler.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if totals.sum != 5*before || !slices.Equal(totals.calls, []int{settleBatch, 5}) {
		t.Fatalf("Start must catch up: %d in %v", totals.sum, totals.calls)
	}
	<-totals.changed
	record(t, rec, aRecord("", ""))
	settler.Wake()
	<-totals.changed
	record(t, rec, aRecord("", ""))
	settler.Stop()
	if totals.sum != 5*(before+2) {
		t.Fatalf("Stop must apply the rest: %d", totals.sum)
	}
	totals.fail = errors.New("locked")
	record(t, rec, aRecord("", ""))
	if NewSettler(s, totals, rec.o.Log, 0).Start(t.Context()) == nil {
		t.Fatal("a start that cannot catch up must fail")
	}
}

func TestBodyOfNothing(t *testing.T) {
	s := openStore(t, t.TempDir())
	sp := aSpan()
	if b, err := Body(t.Context(), s, sp, sp.Input); b != nil || err != nil {
		t.Fatal(b, err)
	}
	sp.Input = span.Ref{Form: span.FormConversation, Skeleton: span.HashOf([]byte("x"))}
	if _, err := Body(t.Context(), s, sp, sp.Input); !fault.Is(err, fault.NotFound) {
		t.Fatalf("a missing body is %v", err)
	}
}
