package export

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/fault"
	"weir/internal/id"
	"weir/internal/job"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Sink takes finished files. A name that exists is replaced, whole or not at all.
type Sink interface {
	Put(ctx context.Context, name string, f io.ReadSeeker, size int64) error
}

// Sealer encrypts secrets for storage; auth.Sealer is one.
type Sealer interface {
	Seal(text, context string) string
	Open(sealed, context string) (string, error)
}

// Options are what a Runner works with.
type Options struct {
	Store  Store
	Source Source
	Bodies Bodies
	Sealer Sealer
	// Open connects to a target; its Secret is in the clear. fault.Forbidden and fault.Invalid reach the caller.
	Open func(ctx context.Context, t Target) (Sink, error)
	Dir  string // for files in the making
	Log  *slog.Logger
	Now  func() time.Time
}

// Runner runs schedules, two at a time, and lets administrators manage them. Others that are due wait for one to end.
type Runner struct {
	Options
	loop  *job.Loop
	stats counters

	mu    sync.Mutex
	asked map[string]bool // schedules that somebody wants run now, by id
	busy  map[string]bool // schedules that run, by id
	work  sync.WaitGroup
}

type counters struct{ runs, failed, files, rows, bytes atomic.Int64 }

// Stats are counts since the start, and how many schedules run now. Runs include the failed ones.
type Stats struct{ Runs, Failed, Files, Rows, Bytes, Running int64 }

// lookEvery is how often schedules are looked at; runTime bounds one run, atOnce how many there are.
const (
	lookEvery = 30 * time.Second
	runTime   = 2 * time.Hour
	atOnce    = 2
)

// New returns a Runner that Start sets to work.
func New(o Options) *Runner {
	r := &Runner{Options: o, asked: map[string]bool{}, busy: map[string]bool{}}
	r.loop = job.New(lookEvery, r.look)
	return r
}

// Start begins to run what is due. What was missed while Weir was down is due at once.
func (r *Runner) Start(ctx context.Context) error { return r.loop.Start(ctx) }

// Stop cuts runs short; the next ones take up where they ended.
func (r *Runner) Stop() {
	r.loop.Stop()
	r.work.Wait()
}

// Stats reads the counters.
func (r *Runner) Stats() Stats {
	r.mu.Lock()
	running := len(r.busy)
	r.mu.Unlock()
	c := &r.stats
	return Stats{Runs: c.runs.Load(), Failed: c.failed.Load(), Files: c.files.Load(), Rows: c.rows.Load(), Bytes: c.bytes.Load(), Running: int64(running)}
}

// List returns the project's schedules.
func (r *Runner) List(ctx context.Context, who *tenant.Identity) ([]Schedule, error) {
	return r.Store.Exports(ctx, who.Project)
}

// Get returns one of them.
func (r *Runner) Get(ctx context.Context, who *tenant.Identity, id string) (Schedule, error) {
	return r.Store.Export(ctx, who.Project, id)
}

// Create adds a schedule, after a look at its target.
func (r *Runner) Create(ctx context.Context, who *tenant.Identity, s Schedule) (Schedule, error) {
	now := r.Now().UTC()
	s.Project, s.ID, s.Owner, s.Created, s.Updated, s.Last = who.Project, id.New(), who.Owner(), now, now, Run{}
	if err := r.admit(ctx, &s); err != nil {
		return s, err
	}
	if err := r.Store.CreateExport(ctx, s); err != nil {
		return s, err
	}
	r.loop.Wake()
	return s, nil
}

// Update changes a schedule. A new filter or target makes the next run write everything again; files written so far are
// left alone.
func (r *Runner) Update(ctx context.Context, who *tenant.Identity, id string, edit func(*Schedule)) (Schedule, error) {
	old, err := r.Get(ctx, who, id)
	if err != nil {
		return old, err
	}
	s := old
	edit(&s)
	s.Updated = r.Now().UTC()
	if err := r.admit(ctx, &s); err != nil {
		return s, err
	}
	if err := r.Store.UpdateExport(ctx, s); err != nil {
		return s, err
	}
	if sameFiles(old, s) {
		return s, nil
	}
	return s, r.Store.ForgetParts(ctx, s.Project, s.ID)
}

// admit checks a schedule, seals a new secret, and sees whether the target may be used at all.
func (r *Runner) admit(ctx context.Context, s *Schedule) error {
	if err := s.check(); err != nil {
		return err
	}
	if s.Target.Secret != "" {
		s.Target.Sealed, s.Target.Secret = r.Sealer.Seal(s.Target.Secret, sealedFor(s)), ""
	}
	_, err := r.open(ctx, s)
	return err
}

func sealedFor(s *Schedule) string { return "export:" + s.ID }

func (r *Runner) open(ctx context.Context, s *Schedule) (Sink, error) {
	t := s.Target
	if t.Sealed != "" {
		secret, err := r.Sealer.Open(t.Sealed, sealedFor(s))
		if err != nil {
			return nil, err
		}
		t.Secret, t.Sealed = secret, ""
	}
	return r.Open(ctx, t)
}

// Delete removes a schedule; its files stay.
func (r *Runner) Delete(ctx context.Context, who *tenant.Identity, id string) error {
	return r.Store.DeleteExport(ctx, who.Project, id)
}

// RunNow asks for a run at once, up to now, of a disabled schedule too. It does not wait for it.
func (r *Runner) RunNow(ctx context.Context, who *tenant.Identity, id string) error {
	s, err := r.Get(ctx, who, id)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.asked[s.ID] = true
	r.mu.Unlock()
	r.loop.Wake()
	return nil
}

func (r *Runner) wanted(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[id]
}

func (r *Runner) running() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.busy)
}

func (r *Runner) begin(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.busy) >= atOnce {
		return false
	}
	r.busy[id] = true
	delete(r.asked, id)
	return true
}

func (r *Runner) end(id string) {
	r.mu.Lock()
	delete(r.busy, id)
	r.mu.Unlock()
	r.loop.Wake() // others may wait
}

// look begins what is due or asked for, as far as there is room. The context ends with the loop.
func (r *Runner) look(ctx context.Context) {
	busy := r.running() // read first: whatever ends meanwhile has stored how it went
	all, err := r.Store.Exports(ctx, "")
	if err != nil {
		if ctx.Err() == nil {
			r.Log.Warn("exports are tried again later", "error", err)
		}
		return
	}
	for _, s := range all {
		now := r.Now().UTC()
		due, asked := s.due(now), r.wanted(s.ID)
		if ctx.Err() != nil || busy[s.ID] || !asked && !s.wants(now, due) {
			continue
		}
		if !r.begin(s.ID) {
			return
		}
		upto := due.Add(-grace)
		if asked {
			upto = now
		}
		r.work.Go(func() {
			defer r.end(s.ID)
			r.run(ctx, s, upto)
		})
	}
}

// retryAfter is how long a failed run rests.
const retryAfter = 15 * time.Minute

func (s *Schedule) wants(now, due time.Time) bool {
	failed := s.Last.Error != "" && now.Sub(s.Last.Time) >= retryAfter
	return s.Enabled && (failed || s.Last.Time.Before(due))
}

// run brings the files of a schedule up to date and stores how it went. One that was cut short by a stop is due again.
func (r *Runner) run(ctx context.Context, s Schedule, upto time.Time) {
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	began := r.Now().UTC()
	last := Run{Time: began}
	err := r.write(ctx, s, upto, &last)
	if errors.Is(err, context.Canceled) {
		return
	}
	last.Took = r.Now().Sub(began)
	r.stats.runs.Add(1)
	log := r.Log.With("export", s.ID, "project", string(s.Project), "files", last.Files, "rows", last.Rows)
	if err != nil {
		last.Error = shown(err)
		r.stats.failed.Add(1)
		log.Warn("export failed; it is tried again", "error", err)
	} else {
		log.Info("exported")
	}
	if err := r.Store.SetExportRun(ctx, s.Project, s.ID, last); err != nil && !fault.Is(err, fault.NotFound) {
		log.Warn("the state of an export was not stored", "error", err)
	}
}

// shown is what of an error people may read.
func shown(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Msg
	}
	if fault.Is(err, fault.Timeout) {
		return "the export took too long"
	}
	return "internal error; see the log"
}

func (r *Runner) write(ctx context.Context, s Schedule, upto time.Time, last *Run) error {
	sink, err := r.open(ctx, &s)
	if err != nil {
		return err
	}
	changed, err := r.changed(ctx, s, upto)
	if err != nil {
		return err
	}
	for _, p := range changed {
		if err := r.writePart(ctx, s, sink, &p, upto); err != nil {
			return err
		}
		if err := r.Store.PutPart(ctx, s.Project, s.ID, p); err != nil {
			return err
		}
		last.Files++
		last.Rows += p.Rows
		last.Bytes += p.Bytes
		r.stats.files.Add(1)
		r.stats.rows.Add(p.Rows)
		r.stats.bytes.Add(p.Bytes)
	}
	return nil
}

var behind = fault.New(fault.Unavailable, "the index lags behind; the export is tried again")

// changed are the hours whose spans differ from what was written, late spans of any age included. An hour that has fewer
// spans than were written has lost them to retention: its file is kept.
func (r *Runner) changed(ctx context.Context, s Schedule, upto time.Time) ([]Part, error) {
	filter, err := query.Parse(s.Filter)
	if err != nil {
		return nil, err
	}
	written, err := r.Store.Parts(ctx, s.Project, s.ID)
	if err != nil {
		return nil, err
	}
	have := map[int64]Part{}
	for _, p := range written {
		have[p.Hour.Unix()] = p
	}
	a := query.Aggregate{Query: query.Query{Project: s.Project, Filter: filter, To: upto}, Interval: time.Hour, Lean: true}
	got, partial, err := r.Source.Aggregate(ctx, a)
	if err != nil {
		return nil, err
	}
	if partial {
		return nil, behind
	}
	var out []Part
	for _, g := range got.Series {
		for _, p := range g.Points {
			was, ok := have[p.Time.Unix()]
			if print := printOf(p.Figures); !ok || was.Print != print && p.Calls >= was.Rows {
				out = append(out, Part{Hour: p.Time, Print: print})
			}
		}
	}
	return out, nil
}

// writePart makes the file of an hour beside the data and hands it to the sink.
func (r *Runner) writePart(ctx context.Context, s Schedule, sink Sink, p *Part, upto time.Time) (err error) {
	f, err := os.CreateTemp(r.Dir, "export-*.parquet")
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	end := p.Hour.Add(time.Hour)
	if upto.Before(end) {
		end = upto
	}
	if p.Rows, err = r.fill(ctx, s, f, p.Hour, end); err != nil {
		return err
	}
	if p.Bytes, err = f.Seek(0, io.SeekEnd); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return sink.Put(ctx, s.fileName(p.Hour), f, p.Bytes)
}

func (r *Runner) fill(ctx context.Context, s Schedule, f io.Writer, from, to time.Time) (rows int64, err error) {
	filter, err := query.Parse(s.Filter)
	if err != nil {
		return 0, err
	}
	buf := bufio.NewWriterSize(f, 1<<20)
	w := NewParquet(buf)
	partial, err := Walk(ctx, r.Source, query.Query{Project: s.Project, Filter: filter, From: from, To: to}, func(sp *span.Span) error {
		it := Item{Span: sp}
		if s.Bodies {
			var err error
			if it, err = Load(ctx, r.Bodies, sp); err != nil {
				return err
			}
		}
		rows++
		return w.Write(it)
	})
	if err == nil && partial {
		err = behind
	}
	return rows, errors.Join(err, w.Close(), buf.Flush())
}
