package export

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/tenant"
)

// ledger is a Store.
type ledger struct {
	mu        sync.Mutex
	schedules map[string]Schedule
	parts     map[string]map[int64]Part
}

func (l *ledger) CreateExport(_ context.Context, s Schedule) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.schedules[s.ID] = s
	return nil
}
func (l *ledger) Export(_ context.Context, p tenant.ProjectID, id string) (Schedule, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.schedules[id]; ok && s.Project == p {
		return s, nil
	}
	return Schedule{}, fault.New(fault.NotFound, "export not found")
}
func (l *ledger) Exports(context.Context, tenant.ProjectID) ([]Schedule, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.schedules)), nil
}
func (l *ledger) UpdateExport(_ context.Context, s Schedule) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Last = l.schedules[s.ID].Last
	l.schedules[s.ID] = s
	return nil
}
func (l *ledger) DeleteExport(_ context.Context, _ tenant.ProjectID, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.schedules, id)
	return nil
}
func (l *ledger) SetExportRun(_ context.Context, _ tenant.ProjectID, id string, r Run) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.schedules[id]
	s.Last = r
	l.schedules[id] = s
	return nil
}
func (l *ledger) Parts(_ context.Context, _ tenant.ProjectID, id string) ([]Part, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.parts[id])), nil
}
func (l *ledger) PutPart(_ context.Context, _ tenant.ProjectID, id string, p Part) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.parts[id] == nil {
		l.parts[id] = map[int64]Part{}
	}
	l.parts[id][p.Hour.Unix()] = p
	return nil
}
func (l *ledger) ForgetParts(_ context.Context, _ tenant.ProjectID, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.parts, id)
	return nil
}

// folder is a Sink.
type folder struct {
	dir  string
	puts []string
	fail error
	wait func(name string) // if set, before a file is taken
	mu   sync.Mutex
}

func (f *folder) Put(_ context.Context, name string, r io.ReadSeeker, size int64) error {
	if f.wait != nil {
		f.wait(name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	f.puts = append(f.puts, name)
	path := filepath.Join(f.dir, name)
	b, err := io.ReadAll(r)
	if err != nil || int64(len(b)) != size {
		return errors.New("wrong size")
	}
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600))
}

type marks struct{}

func (marks) Seal(text, context string) string { return context + "|" + text }
func (marks) Open(sealed, context string) (string, error) {
	text, ok := strings.CutPrefix(sealed, context+"|")
	if !ok {
		return "", fault.New(fault.Internal, "a stored secret is damaged")
	}
	return text, nil
}

type rig struct {
	*Runner
	t       *testing.T
	store   *ledger
	shelf   *shelf
	sink    *folder
	opening sync.Mutex
	opened  Target
	now     time.Time
}

var admin = &tenant.Identity{Project: "p", User: "u", Role: tenant.RoleAdmin}

func newRig(t *testing.T, minutes ...int) *rig {
	t.Helper()
	r := &rig{
		t: t, store: &ledger{schedules: map[string]Schedule{}, parts: map[string]map[int64]Part{}}, shelf: &shelf{page: 10},
		sink: &folder{dir: t.TempDir()}, now: start.Truncate(time.Hour).Add(10 * time.Hour),
	}
	for _, n := range minutes {
		r.shelf.spans = append(r.shelf.spans, sample(n))
	}
	r.Runner = New(Options{
		Store: r.store, Source: r.shelf, Bodies: bodies{}, Sealer: marks{}, Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return r.now },
		Open: func(_ context.Context, target Target) (Sink, error) {
			r.opening.Lock()
			defer r.opening.Unlock()
			r.opened = target
			return r.sink, nil
		},
	})
	return r
}

func (r *rig) create(edit func(*Schedule)) Schedule {
	r.t.Helper()
	s := Schedule{Name: "n", Every: Hourly, Enabled: true, Target: Target{Kind: S3, Bucket: "b", Prefix: "/weir/x/", Region: "r", AccessKeyID: "k", Secret: "shh"}}
	edit(&s)
	got, err := r.Create(r.t.Context(), admin, s)
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

// pass lets time go by, runs what is due, and returns the files written.
func (r *rig) pass(d time.Duration) []string {
	r.t.Helper()
	r.now, r.sink.puts = r.now.Add(d), nil
	r.look(r.t.Context())
	r.work.Wait()
	return r.sink.puts
}

func (r *rig) last(id string) Run { return r.store.schedules[id].Last }

func TestHoursBecomeFiles(t *testing.T) {
	r := newRig(t, 0, 1, 45, 46, 120)
	s := r.create(func(*Schedule) {})
	if s.Target.Secret != "" || r.store.schedules[s.ID].Target.Sealed != "export:"+s.ID+"|shh" {
		t.Errorf("the secret is not sealed: %+v", s.Target)
	}
	got := r.pass(0)
	want := []string{"weir/x/project=p/date=2026-03-01/part-12.parquet", "weir/x/project=p/date=2026-03-01/part-13.parquet", "weir/x/project=p/date=2026-03-01/part-14.parquet"}
	if !slices.Equal(got, want) {
		t.Fatalf("%v", got)
	}
	if r.opened.Secret != "shh" {
		t.Error("the target was opened without its secret")
	}
	if l := r.last(s.ID); l.Error != "" || l.Rows != 5 || l.Files != 3 || l.Bytes == 0 {
		t.Errorf("%+v", l)
	}
	if n := ask(t, `SELECT (count(*) || ' ' || any_value(project) || ' ' || any_value(date))::VARCHAR FROM read_parquet(?, hive_partitioning=true)`, r.sink.dir+"/weir/x/**/*.parquet"); n != "5 p 2026-03-01" {
		t.Errorf("read back: %s", n)
	}
	if left, err := os.ReadDir(r.Dir); err != nil || len(left) != 0 {
		t.Errorf("files in the making are left: %v %v", left, err)
	}
}

func TestOnlyWhatChangedIsWrittenAgain(t *testing.T) {
	r := newRig(t, 0, 45)
	s := r.create(func(*Schedule) {})
	r.pass(0)
	if got := r.pass(time.Hour); len(got) != 0 {
		t.Errorf("written again: %v", got)
	}
	r.shelf.spans = append(r.shelf.spans, sample(46)) // late by hours
	if got := r.pass(time.Hour); !slices.Equal(got, []string{"weir/x/project=p/date=2026-03-01/part-13.parquet"}) {
		t.Errorf("a late span: %v", got)
	}
	r.shelf.spans[0].Cost.Total *= 2 // an update
	if got := r.pass(time.Hour); !slices.Equal(got, []string{"weir/x/project=p/date=2026-03-01/part-12.parquet"}) {
		t.Errorf("an update: %v", got)
	}
	r.shelf.spans = r.shelf.spans[2:] // retention takes the oldest and one of another hour
	if got := r.pass(time.Hour); len(got) != 0 {
		t.Errorf("retention emptied files: %v", got)
	}
	if l := r.last(s.ID); l.Error != "" {
		t.Errorf("%+v", l)
	}
}

func TestWhenItRuns(t *testing.T) {
	r := newRig(t, 0)
	s := r.create(func(s *Schedule) { s.Every = Daily })
	if got := r.pass(0); len(got) != 0 { // the day of the span is not over
		t.Errorf("%v", got)
	}
	if got := r.pass(time.Hour); len(got) != 0 {
		t.Errorf("an hour later: %v", got)
	}
	if err := r.RunNow(t.Context(), admin, s.ID); err != nil {
		t.Fatal(err)
	}
	r.shelf.spans = append(r.shelf.spans, sample(int(r.now.Sub(start).Minutes())-1)) // of the running hour
	if got := r.pass(0); len(got) != 2 {
		t.Errorf("asked for: %v", got)
	}
	r.shelf.spans = append(r.shelf.spans, sample(1))
	if got := r.pass(24 * time.Hour); len(got) != 1 {
		t.Errorf("a day later: %v", got)
	}
	if _, err := r.Update(t.Context(), admin, s.ID, func(s *Schedule) { s.Enabled = false }); err != nil {
		t.Fatal(err)
	}
	r.shelf.spans = append(r.shelf.spans, sample(2))
	if got := r.pass(48 * time.Hour); len(got) != 0 {
		t.Errorf("disabled: %v", got)
	}
}

func TestFailuresAreShownAndTriedAgain(t *testing.T) {
	r := newRig(t, 0, 45)
	s := r.create(func(*Schedule) {})
	r.sink.fail = fault.New(fault.Invalid, "bucket b: the server refused with AccessDenied")
	r.pass(0)
	if l := r.last(s.ID); l.Error != "bucket b: the server refused with AccessDenied" || l.Files != 0 {
		t.Errorf("%+v", l)
	}
	r.sink.fail = errors.New("private details")
	r.pass(time.Minute)
	if l := r.last(s.ID); strings.Contains(l.Error, "private") || l.Error != "bucket b: the server refused with AccessDenied" {
		t.Errorf("tried again at once: %+v", l)
	}
	r.pass(retryAfter)
	if l := r.last(s.ID); strings.Contains(l.Error, "private") || !strings.Contains(l.Error, "see the log") {
		t.Errorf("%+v", l)
	}
	r.sink.fail, r.shelf.partial = nil, true
	r.pass(retryAfter)
	if l := r.last(s.ID); !strings.Contains(l.Error, "lags") {
		t.Errorf("%+v", l)
	}
	r.shelf.partial = false
	if got := r.pass(retryAfter); len(got) != 2 || r.last(s.ID).Error != "" {
		t.Errorf("%v %+v", got, r.last(s.ID))
	}
}

// Two run side by side; the third waits until one ends, and is not forgotten. None runs twice.
func TestTwoRunAtOnce(t *testing.T) {
	r := newRig(t, 0)
	var began, gate sync.Mutex // gate holds files back
	var at []string
	two := make(chan struct{})
	r.sink.wait = func(name string) {
		began.Lock()
		if at = append(at, name); len(at) == 2 {
			close(two)
		}
		began.Unlock()
		gate.Lock()
		defer gate.Unlock()
	}
	for _, prefix := range []string{"a", "b", "c"} {
		r.create(func(s *Schedule) { s.Target.Prefix = prefix })
	}
	gate.Lock()
	r.look(t.Context())
	<-two
	r.look(t.Context())
	if s := r.Stats(); s.Running != 2 || s.Runs != 0 {
		t.Errorf("while two run: %+v", s)
	}
	gate.Unlock()
	r.work.Wait()
	r.look(t.Context())
	r.work.Wait()
	r.look(t.Context())
	r.work.Wait()
	slices.Sort(r.sink.puts)
	if len(r.sink.puts) != 3 || r.sink.puts[0][0] != 'a' || r.sink.puts[1][0] != 'b' || r.sink.puts[2][0] != 'c' {
		t.Errorf("files %v", r.sink.puts)
	}
	if s := r.Stats(); s.Running != 0 || s.Runs != 3 || s.Failed != 0 || s.Files != 3 || s.Rows != 3 || s.Bytes == 0 {
		t.Errorf("at the end: %+v", s)
	}
	r.sink.fail = errors.New("broken")
	r.shelf.spans[0].Cost.Total *= 2
	r.pass(time.Hour)
	r.pass(0) // the third may have waited
	if s := r.Stats(); s.Runs != 6 || s.Failed != 3 {
		t.Errorf("after failures: %+v", s)
	}
}

func TestAnotherTargetGetsEverything(t *testing.T) {
	r := newRig(t, 0, 45)
	s := r.create(func(*Schedule) {})
	r.pass(0)
	if _, err := r.Update(t.Context(), admin, s.ID, func(s *Schedule) { s.Name, s.Every = "other", Daily }); err != nil {
		t.Fatal(err)
	}
	if n := len(r.store.parts[s.ID]); n != 2 {
		t.Errorf("%d parts known after a new name", n)
	}
	if _, err := r.Update(t.Context(), admin, s.ID, func(s *Schedule) { s.Target.Prefix, s.Every = "elsewhere", Hourly }); err != nil {
		t.Fatal(err)
	}
	if got := r.pass(time.Hour); len(got) != 2 || !strings.HasPrefix(got[0], "elsewhere/project=p/") {
		t.Errorf("%v", got)
	}
}

func TestFilterAndProject(t *testing.T) {
	r := newRig(t, 0, 1)
	other := sample(2)
	other.Project = "q"
	r.shelf.spans = append(r.shelf.spans, other)
	r.shelf.spans[1].Status = span.Error
	s := r.create(func(s *Schedule) { s.Filter = "status = error" })
	if r.pass(0); r.last(s.ID).Rows != 1 {
		t.Errorf("%+v", r.last(s.ID))
	}
	if _, err := r.Get(t.Context(), &tenant.Identity{Project: "q", Role: tenant.RoleAdmin}, s.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("seen from another project: %v", err)
	}
}

func TestScheduleChecks(t *testing.T) {
	r := newRig(t)
	for field, spoil := range map[string]func(*Schedule){
		"name":            func(s *Schedule) { s.Name = "" },
		"every":           func(s *Schedule) { s.Every = "yearly" },
		"filter":          func(s *Schedule) { s.Filter = "cost >" },
		"target.kind":     func(s *Schedule) { s.Target.Kind = "tape" },
		"target.bucket":   func(s *Schedule) { s.Target.Bucket = "a/b" },
		"target.region":   func(s *Schedule) { s.Target.Region = "" },
		"target.endpoint": func(s *Schedule) { s.Target.Endpoint = "ftp://example.com" },
		"target.prefix":   func(s *Schedule) { s.Target.Prefix = "a/../../b" },
		"target.path":     func(s *Schedule) { s.Target = Target{Kind: Disk, Path: "relative"} },
	} {
		s := Schedule{Name: "n", Every: Hourly, Target: Target{Kind: S3, Bucket: "b", Region: "r"}}
		spoil(&s)
		_, err := r.Create(t.Context(), admin, s)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestRunnerStops(t *testing.T) {
	r := newRig(t, 0)
	r.create(func(*Schedule) {})
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Stop()
}
