package erase_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"weir/internal/audit"
	"weir/internal/erase"
	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/store/pebble"
	"weir/internal/store/sqlite"
	"weir/internal/store/storetest"
	"weir/internal/tenant"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

// index does what a test wants of a rebuild.
type index struct{ rebuild func(context.Context) error }

func (x *index) Rebuild(ctx context.Context) error { return x.rebuild(ctx) }

type memory struct{ forgotten int }

func (m *memory) Forget(context.Context) error { m.forgotten++; return nil }

// texts records what it is told.
type texts struct {
	mu            sync.Mutex
	forgot, learn []string
}

func (x *texts) Forget(_ context.Context, _ tenant.ProjectID, _ span.Day, traces []string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.forgot = append(x.forgot, traces...)
	return nil
}

func (x *texts) Learn(_ context.Context, spans []*span.Span) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range spans {
		x.learn = append(x.learn, s.Trace)
	}
	return nil
}

// points records what it is told.
type points struct{ erased []string }

func (p *points) ErasePoints(_ context.Context, _ tenant.ProjectID, value string) (int64, error) {
	p.erased = append(p.erased, value)
	return 3, nil
}

type rig struct {
	*erase.Service
	points points
	truth  *pebble.Store
	rows   *sqlite.Store
	index  *index
	texts  *texts
	audit  *audit.Chain
	log    *slog.Logger
	dir    string // of the truth
}

func setup(t *testing.T) *rig {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "truth")
	truth, err := pebble.Open(dir, pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := sqlite.Open(filepath.Join(t.TempDir(), "rows.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(truth.Close(), rows.Close()); err != nil {
			t.Error(err)
		}
	})
	r := &rig{dir: dir, truth: truth, rows: rows, texts: &texts{}, index: &index{func(context.Context) error { return nil }}, log: slog.New(slog.DiscardHandler)}
	r.audit = audit.New(rows, r.log, nil)
	return r
}

func (r *rig) start(t *testing.T) {
	t.Helper()
	r.Service = erase.New(erase.Deps{Truth: r.truth, Rows: r.rows, Points: &r.points, Index: r.index, Recorder: &memory{}, FullText: r.texts, Audit: r.audit, Log: r.log})
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) record(t *testing.T, trace, user, body string) {
	t.Helper()
	h := span.HashOf([]byte(body))
	s := &span.Span{
		Project: "one", Trace: trace, ID: "a", User: tenant.UserID(user), Session: "session of " + user, Start: time.Now(),
		Input: span.Ref{Form: span.FormRaw, Skeleton: h}, Tags: []string{"tag-" + user},
	}
	entry := &span.LedgerEntry{Time: s.Start, Call: span.CallID(trace, "a"), Project: "one", User: s.User, Cost: 7}
	if err := r.truth.Append(t.Context(), true, &span.Batch{Span: s, Blobs: map[span.Hash][]byte{h: []byte(body)}, Ledger: entry}); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) begin(t *testing.T, sel erase.Selection) erase.Job {
	t.Helper()
	j, err := r.Begin(t.Context(), "one", erase.Request{Selection: sel, Who: &tenant.Identity{User: "root", Role: tenant.RoleAdmin, Project: "one"}})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// wait returns the job once it has ended.
func (r *rig) wait(t *testing.T, id string) erase.Job {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; runtime.Gosched() {
		j, err := r.Job("one", id)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%+v %v", j, err)
		}
		if j.State != erase.Running {
			return j
		}
	}
}

func TestSelections(t *testing.T) {
	for name, c := range map[string]struct {
		sel  erase.Selection
		left string
	}{
		"trace":   {erase.Selection{Trace: "t1"}, "t2 t3"},
		"user":    {erase.Selection{User: "u2"}, "t1"},
		"session": {erase.Selection{Session: "session of u1"}, "t2 t3"},
		"filter":  {erase.Selection{Filter: "tag = tag-u1"}, "t2 t3"},
		"nobody":  {erase.Selection{User: "u9"}, "t1 t2 t3"},
		"no one":  {erase.Selection{Trace: "t9"}, "t1 t2 t3"},
	} {
		t.Run(name, func(t *testing.T) {
			r := setup(t)
			r.record(t, "t1", "u1", "shared body")
			r.record(t, "t2", "u2", "shared body")
			r.record(t, "t3", "u2", "body of t3")
			r.start(t)
			defer r.Stop()
			j := r.wait(t, r.begin(t, c.sel).ID)
			if j.State != erase.Done || j.Selection != (erase.Selection{}) || j.Certificate == nil {
				t.Fatalf("%+v", j)
			}
			var left []string
			for _, trace := range []string{"t1", "t2", "t3"} {
				if _, err := r.truth.Trace(t.Context(), "one", trace); err == nil {
					left = append(left, trace)
				}
			}
			if strings.Join(left, " ") != c.left || int(j.Counts.Traces) != 3-len(left) {
				t.Errorf("left %v, want %s; %+v", left, c.left, j.Counts)
			}
			if len(r.texts.forgot) != 3-len(left) || j.Counts.SharedKept > 0 != (len(r.texts.learn) > 0) {
				t.Errorf("full text forgot %v, learned %v; kept %d", r.texts.forgot, r.texts.learn, j.Counts.SharedKept)
			}
		})
	}
}

func TestChargesOfAnErasedUserStay(t *testing.T) {
	r := setup(t)
	r.record(t, "t1", "u1", "x")
	r.record(t, "t2", "u2", "y")
	r.start(t)
	defer r.Stop()
	if j := r.wait(t, r.begin(t, erase.Selection{User: "u1"}).ID); j.Counts.Ledger != 1 {
		t.Errorf("%+v", j.Counts)
	}
	n := 0
	if err := r.truth.Ledger(t.Context(), 0, func(e span.LedgerEntry) bool {
		if n++; e.User == "u1" || e.Cost != 7 || e.Seq != uint64(n) {
			t.Errorf("%+v", e)
		}
		return true
	}); err != nil || n != 2 {
		t.Errorf("%d entries (%v)", n, err)
	}
}

func TestDataPoints(t *testing.T) {
	r := setup(t)
	r.record(t, "t1", "u1", "x")
	r.start(t)
	defer r.Stop()
	for _, c := range []struct {
		sel  erase.Selection
		want int64
	}{{erase.Selection{User: "u9"}, 3}, {erase.Selection{Session: "s9"}, 3}, {erase.Selection{Trace: "t1"}, 0}, {erase.Selection{Filter: "user = u1"}, 0}} {
		j := r.wait(t, r.begin(t, c.sel).ID)
		if told := strings.Contains(strings.Join(j.Certificate.Removed, ";"), "data points"); j.Counts.Points != c.want || told != (c.want > 0) {
			t.Errorf("%+v: %+v", c.sel, j)
		}
	}
	if got := strings.Join(r.points.erased, " "); got != "u9 s9" {
		t.Errorf("erased %s", got)
	}
}

func TestBadRequests(t *testing.T) {
	r := setup(t)
	r.start(t)
	defer r.Stop()
	for _, sel := range []erase.Selection{{}, {Trace: "a", User: "b"}, {Filter: "status ="}, {Filter: " "}} {
		if _, err := r.Begin(t.Context(), "one", erase.Request{Selection: sel}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", sel, err)
		}
	}
	j := r.begin(t, erase.Selection{Trace: "x"})
	if _, err := r.Job("two", j.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project sees a job: %v", err)
	}
	if len(r.Jobs("two")) != 0 || len(r.Jobs("one")) != 1 {
		t.Error("jobs are listed in the wrong project")
	}
}

// A step that fails leaves a job that says so, and erasing again goes on.
func TestFailure(t *testing.T) {
	r := setup(t)
	r.record(t, "t1", "u1", "x")
	r.index.rebuild = func(context.Context) error { return errors.New("broken: u1") }
	r.start(t)
	defer r.Stop()
	j := r.wait(t, r.begin(t, erase.Selection{User: "u1"}).ID)
	if j.State != erase.Failed || j.Error == "" || strings.Contains(j.Error, "u1") || j.Certificate != nil && j.Certificate.Job != "" {
		t.Errorf("%+v", j)
	}
	got, err := r.audit.Entries(t.Context(), audit.Query{Action: "erase"})
	if err != nil || len(got) != 1 || !strings.Contains(got[0].Detail, `"state":"failed"`) || strings.Contains(got[0].Detail, "u1") {
		t.Errorf("%+v %v", got, err)
	}
	r.index.rebuild = func(context.Context) error { return nil }
	if j := r.wait(t, r.begin(t, erase.Selection{User: "u1"}).ID); j.State != erase.Done {
		t.Errorf("%+v", j)
	}
}

// A stop in the middle is no failure: the next start takes the job up, and counts what was erased before once.
func TestStopInTheMiddle(t *testing.T) {
	r := setup(t)
	r.record(t, "t1", "u1", "x")
	reached := make(chan struct{})
	r.index.rebuild = func(ctx context.Context) error { close(reached); <-ctx.Done(); return ctx.Err() }
	r.start(t)
	done := make(chan erase.Job, 1)
	go func() { done <- r.begin(t, erase.Selection{User: "u1"}) }()
	<-reached
	r.Stop()
	j := <-done
	if j.State != erase.Running {
		t.Fatalf("%+v", j)
	}
	r.index.rebuild = func(context.Context) error { return nil }
	r.start(t)
	defer r.Stop()
	if j := r.wait(t, j.ID); j.State != erase.Done || j.Counts.Traces != 1 || j.Counts.Spans != 1 {
		t.Errorf("%+v", j)
	}
}

func TestWhatIsCached(t *testing.T) {
	gone := map[string]bool{"t1": true, "s1": true}
	for _, c := range []struct {
		key, value string
		want       bool
	}{
		{"thread/x", "s1", true}, {"thread/x", "s2", false}, {"other/x", "s1", false},
		{"think/x", `{"p":"one","x":"t1","b":[]}`, true}, {"think/x", `{"p":"one","x":"t2","b":[]}`, false}, {"think/x", `{"p":"two","x":"t1","b":[]}`, false},
		{"think/x", `[{"t":"of an earlier version"}]`, true},
	} {
		if got := erase.Cached("one", []byte(c.key), []byte(c.value), gone); got != c.want {
			t.Errorf("%s %s: %v", c.key, c.value, got)
		}
	}
}

// What was deleted before a stop is purged after it, although nothing is there any more that names its day.
func TestDaysOfAnInterruptedJobArePurged(t *testing.T) {
	for name, sel := range map[string]erase.Selection{"user": {User: "u1"}, "trace": {Trace: "t1"}} {
		t.Run(name, func(t *testing.T) {
			r := setup(t)
			r.record(t, "t1", "u1", "a body with a needle")
			r.index.rebuild = func(context.Context) error { return errors.New("no") }
			r.start(t)
			j := r.wait(t, r.begin(t, sel).ID)
			r.Stop()
			if len(j.Days) != 1 {
				t.Fatalf("%+v", j)
			}
			j.State, j.Selection = erase.Running, sel
			b, err := json.Marshal(j)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.truth.PutErasure(t.Context(), j.ID, b); err != nil {
				t.Fatal(err)
			}
			storetest.Erased(t, r.dir, nil, []string{"a body with a needle"})
			r.index.rebuild = func(context.Context) error { return nil }
			r.start(t)
			defer r.Stop()
			if j := r.wait(t, j.ID); j.State != erase.Done || j.Counts.Traces != 1 {
				t.Errorf("%+v", j)
			}
			storetest.Erased(t, r.dir, []string{"a body with a needle"}, nil)
		})
	}
}
