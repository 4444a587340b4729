package erase

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"weir/internal/audit"
	"weir/internal/fault"
	"weir/internal/id"
	"weir/internal/jsonx"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Request asks for an erasure.
type Request struct {
	Selection
	DryRun bool
	Reason string
	Who    *tenant.Identity
	IP     string
}

// Index is the columnar index over the truth.
type Index interface {
	// Rebuild replaces its files by new ones made from the truth, and returns when they are complete.
	Rebuild(ctx context.Context) error
}

// Recorder is what notes and remembers calls.
type Recorder interface {
	// Forget drops what it remembers of stored content, and the notes of calls that have ended.
	Forget(ctx context.Context) error
}

// FullText is the search index over bodies.
type FullText interface {
	// Forget removes the texts of traces. It is called before they are deleted.
	Forget(ctx context.Context, p tenant.ProjectID, day span.Day, traces []string) error
	// Learn indexes spans anew, after others that they share content with were deleted.
	Learn(ctx context.Context, spans []*span.Span) error
}

// Deps is what a Service works with. Points, FullText and Holds may be nil.
type Deps struct {
	Truth    Truth
	Rows     Rows
	Points   Points
	Index    Index
	Recorder Recorder
	FullText FullText
	Audit    audit.Log
	// Holds reports whether a span passes a filter that looks into bodies.
	Holds func(ctx context.Context, e query.Expr, s *span.Span) (bool, error)
	Log   *slog.Logger
	Now   func() time.Time // nil = time.Now
}

// Service runs erasures, one after the other, in the order they were asked for.
type Service struct {
	Deps
	mu     sync.Mutex
	jobs   map[string]*Job // all that are stored, and recent dry runs
	asked  map[string]Request
	queue  []string
	more   chan struct{} // capacity 1
	ended  map[string]chan struct{}
	cancel context.CancelFunc
	loop   sync.WaitGroup
}

// New returns a Service that Start sets to work.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Service{Deps: d, jobs: map[string]*Job{}, asked: map[string]Request{}, more: make(chan struct{}, 1), ended: map[string]chan struct{}{}}
}

// Start takes up jobs that a stop interrupted, and waits for new ones.
func (s *Service) Start(ctx context.Context) error {
	err := s.Truth.Erasures(ctx, func(_ string, b []byte) bool {
		j := new(Job)
		if err := jsonx.Unmarshal(b, j); err != nil {
			s.Log.Error("an erasure cannot be read", "error", err)
			return true
		}
		s.jobs[j.ID] = j
		if j.State == Running {
			s.enqueue(j.ID)
		}
		return true
	})
	if err != nil {
		return err
	}
	slices.SortFunc(s.queue, func(a, b string) int { return s.jobs[a].Created.Compare(s.jobs[b].Created) })
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.loop.Go(func() { s.work(ctx) })
	return nil
}

// Stop interrupts the job that runs; the next start goes on with it.
func (s *Service) Stop() {
	if s.cancel != nil {
		s.cancel()
		s.loop.Wait()
	}
}

// maxWaiting bounds the jobs that wait; more are refused.
const maxWaiting = 100

// patience is how long Begin waits for a job to end: most are short.
const patience = 3 * time.Second

// Begin starts a job and waits a moment for its end.
func (s *Service) Begin(ctx context.Context, p tenant.ProjectID, r Request) (Job, error) {
	if _, err := r.check(); err != nil {
		return Job{}, err
	}
	j := &Job{
		ID: id.New(), Project: p, Selection: r.Selection, Kind: r.Kind(), DryRun: r.DryRun, Reason: r.Reason, State: Running, Created: s.Now().UTC(),
		Fingerprint: audit.Fingerprint(string(p), r.Kind(), r.value()), Actor: actorOf(r.Who),
	}
	if err := s.room(); err != nil { // before it is stored: what is stored is done, after a restart at the latest
		return Job{}, err
	}
	if !j.DryRun {
		if err := s.save(ctx, j); err != nil {
			return Job{}, err
		}
	}
	ended := s.admit(j, r)
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case <-ended:
	case <-wait.C:
	case <-ctx.Done():
	}
	return s.Job(p, j.ID)
}

func actorOf(who *tenant.Identity) string {
	if who == nil {
		return "system"
	}
	return cmp.Or(who.Email, string(who.User), who.KeyAlias, string(who.Means))
}

func (s *Service) room() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) >= maxWaiting {
		return &fault.Error{Kind: fault.Unavailable, Msg: "too many erasures are waiting", RetryAfter: time.Minute}
	}
	return nil
}

func (s *Service) admit(j *Job, r Request) (ended chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetDryRuns()
	s.jobs[j.ID], s.asked[j.ID] = j, r
	s.enqueue(j.ID)
	return s.ended[j.ID]
}

// keptDryRuns are dry runs remembered after their end; they are not stored.
const keptDryRuns = 100

func (s *Service) forgetDryRuns() {
	var ended []*Job
	for _, j := range s.jobs {
		if j.DryRun && j.State != Running {
			ended = append(ended, j)
		}
	}
	slices.SortFunc(ended, func(a, b *Job) int { return a.Created.Compare(b.Created) })
	for _, j := range ended[:max(0, len(ended)-keptDryRuns)] {
		delete(s.jobs, j.ID)
	}
}

func (s *Service) enqueue(id string) {
	s.queue = append(s.queue, id)
	s.ended[id] = make(chan struct{})
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// Job is a snapshot of a job.
func (s *Service) Job(p tenant.ProjectID, id string) (Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.jobs[id]; j != nil && j.Project == p {
		return *j, nil
	}
	return Job{}, fault.New(fault.NotFound, "erasure not found")
}

// Jobs are those of a project, newest first.
func (s *Service) Jobs(p tenant.ProjectID) []Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Job
	for _, j := range s.jobs {
		if j.Project == p {
			out = append(out, *j)
		}
	}
	slices.SortFunc(out, func(a, b Job) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID)) })
	return out[:min(len(out), maxListed)]
}

const maxListed = 500

func (s *Service) work(ctx context.Context) {
	for {
		for j := s.next(); j != nil && ctx.Err() == nil; j = s.next() {
			s.runJob(ctx, j)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.more:
		}
	}
}

// next is a working copy of the first job that waits.
func (s *Service) next() *Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil
	}
	j := *s.jobs[s.queue[0]]
	s.queue = s.queue[1:]
	return &j
}

// show makes the state of a working copy public.
func (s *Service) show(j *Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := *j
	s.jobs[j.ID] = &c
}

// save stores a job, then shows it.
func (s *Service) save(ctx context.Context, j *Job) error {
	if err := s.Truth.PutErasure(ctx, j.ID, jsonx.MustMarshal(j)); err != nil {
		return err
	}
	s.show(j)
	return nil
}

func (s *Service) runJob(ctx context.Context, j *Job) {
	if j.DryRun {
		s.finish(ctx, j, s.count(ctx, j))
		return
	}
	err := s.run(ctx, j)
	if ctx.Err() != nil {
		return // taken up by the next start
	}
	s.finish(ctx, j, err)
}

// finish ends a job. What it selected is forgotten.
func (s *Service) finish(ctx context.Context, j *Job, err error) {
	j.State, j.Step, j.Finished, j.Selection = Done, "", s.Now().UTC(), Selection{}
	if err != nil {
		j.State, j.Error = Failed, shown(err)
		s.Log.Error("an erasure failed", "job", j.ID, "error", err)
	}
	s.mu.Lock()
	request := s.asked[j.ID]
	ended := s.ended[j.ID]
	delete(s.asked, j.ID)
	delete(s.ended, j.ID)
	s.mu.Unlock()
	s.show(j)
	if !j.DryRun {
		if err := s.save(ctx, j); err != nil {
			s.Log.Error("the end of an erasure could not be stored", "job", j.ID, "error", err)
		}
		s.certify(ctx, j, request)
	}
	if ended != nil {
		close(ended)
	}
}

func shown(err error) string {
	if k := fault.KindOf(err); k == fault.Internal {
		return "internal error; the log says more. Erase again to go on"
	}
	return err.Error()
}

// certify writes the certificate to the audit log.
func (s *Service) certify(ctx context.Context, j *Job, r Request) {
	detail := map[string]any{"state": string(j.State), "kind": j.Kind, "fingerprint": j.Fingerprint, "counts": j.Counts}
	if j.Reason != "" {
		detail["reason"] = j.Reason
	}
	if c := j.Certificate; c != nil {
		detail["traces_sha256"], detail["removed"], detail["kept"], detail["not_covered"] = c.TraceHash, c.Removed, c.Kept, c.NotCovered
	}
	if r.Who == nil {
		detail["asked_by"] = j.Actor // before a restart
	}
	s.Audit.Record(ctx, audit.Event{Who: r.Who, Action: "erase", Target: j.ID, Project: j.Project, IP: r.IP, Detail: detail})
}
