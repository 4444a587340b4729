package erase

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"weir/internal/audit"
	"weir/internal/jsonx"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/tenant"
)

// tracesPerStep bounds what one atomic step holds in memory. Each step reads the other spans of the day once, to see
// what they share.
const tracesPerStep = 2000

// picker is the test of a span for a selection.
func (s *Service) picker(sel Selection) (Pick, error) {
	e, err := sel.check()
	if err != nil {
		return nil, err
	}
	switch sel.Kind() {
	case "filter":
		return func(ctx context.Context, sp *span.Span) (bool, error) {
			if query.Match(e, sp) || s.Holds == nil || !query.May(e, sp) {
				return query.Match(e, sp), nil
			}
			return s.Holds(ctx, e, sp)
		}, nil
	case "user":
		return func(_ context.Context, sp *span.Span) (bool, error) {
			return string(sp.User) == sel.User || sp.EndUser == sel.User || sp.Email == sel.User, nil
		}, nil
	case "session":
		return func(_ context.Context, sp *span.Span) (bool, error) { return sp.Session == sel.Session, nil }, nil
	}
	return func(_ context.Context, sp *span.Span) (bool, error) { return sp.Trace == sel.Trace, nil }, nil
}

// hintOf is a text that the record of every selected span contains, where one is known: records hold texts as they are, or
// as JSON, in which plain letters stand for themselves.
func hintOf(sel Selection) string {
	v := sel.User + sel.Session
	for i := range len(v) {
		if c := v[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("@._- ", rune(c)) {
			return ""
		}
	}
	return v
}

// days are where a selection has to be looked for.
func (s *Service) days(ctx context.Context, j *Job) ([]span.Day, error) {
	if j.Selection.Trace == "" {
		return s.Truth.Days(ctx, j.Project)
	}
	day, ok, err := s.Truth.HomeDay(ctx, j.Project, j.Selection.Trace)
	if err != nil || !ok {
		return nil, err
	}
	return []span.Day{day}, nil
}

// each calls f with the selected traces of each day, some at a time. A selected trace is read directly.
func (s *Service) each(ctx context.Context, j *Job, f func(day span.Day, traces []string, spans int64) error) error {
	pick, err := s.picker(j.Selection)
	if err != nil {
		return err
	}
	days, err := s.days(ctx, j)
	if err != nil {
		return err
	}
	for _, day := range days {
		if j.Selection.Trace != "" {
			if err := f(day, []string{j.Selection.Trace}, 0); err != nil {
				return err
			}
			continue
		}
		for after, more := "", true; more; {
			var traces []string
			var spans int64
			if traces, spans, more, err = s.Truth.Pick(ctx, j.Project, day, after, tracesPerStep, hintOf(j.Selection), pick); err != nil {
				return err
			}
			if len(traces) == 0 {
				continue
			}
			if err := f(day, traces, spans); err != nil {
				return err
			}
			after = traces[len(traces)-1]
		}
	}
	return nil
}

// count is a dry run.
func (s *Service) count(ctx context.Context, j *Job) error {
	return s.each(ctx, j, func(day span.Day, traces []string, spans int64) error {
		j.Counts.Traces += int64(len(traces))
		if j.Selection.Trace != "" {
			var err error
			if spans, err = s.spansOf(ctx, j, day); err != nil {
				return err
			}
		}
		j.Counts.Spans += spans
		s.show(j)
		return nil
	})
}

func (s *Service) spansOf(ctx context.Context, j *Job, day span.Day) (int64, error) {
	pick, err := s.picker(j.Selection)
	if err != nil {
		return 0, err
	}
	_, spans, _, err := s.Truth.Pick(ctx, j.Project, day, before(j.Selection.Trace), 1, "", pick)
	return spans, err
}

// before is a trace id that sorts right before others of the same length.
func before(trace string) string { return trace[:len(trace)-1] + string(trace[len(trace)-1]-1) }

// run does all steps. Each may be repeated, so an interrupted job starts over with what is left.
func (s *Service) run(ctx context.Context, j *Job) error {
	if err := s.eraseTraces(ctx, j); err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		do   func(context.Context, *Job) error
	}{
		{"forgetting what is remembered", s.eraseMemory},
		{"cleaning the ledger", s.eraseLedger},
		{"erasing data points", s.erasePoints},
		{"building the index", s.eraseIndex},
	} {
		j.Step = step.name
		s.show(j)
		if err := step.do(ctx, j); err != nil {
			return err
		}
		if err := s.save(ctx, j); err != nil { // what it counted
			return err
		}
	}
	return s.purge(ctx, j)
}

// eraseTraces removes the traces, and what is filed beside them.
func (s *Service) eraseTraces(ctx context.Context, j *Job) error {
	j.Step = "erasing traces"
	ids := sha256.New()
	if j.Certificate != nil { // goes on after a restart
		ids.Write([]byte(j.Certificate.TraceHash))
	}
	return s.each(ctx, j, func(day span.Day, traces []string, _ int64) error {
		for _, t := range traces {
			fmt.Fprintln(ids, t)
		}
		sum := hex.EncodeToString(ids.Sum(nil))
		if s.FullText != nil {
			if err := s.FullText.Forget(ctx, j.Project, day, traces); err != nil {
				return err
			}
		}
		var gone Removed
		err := s.Truth.EraseTraces(ctx, j.Project, day, traces, func(r Removed) ([]byte, error) {
			c := *j
			c.Counts.add(r.Counts)
			if !slices.Contains(c.Days, day) {
				c.Days = append(slices.Clone(c.Days), day)
			}
			c.Certificate = &Certificate{TraceHash: sum}
			gone = r
			return jsonx.Marshal(&c)
		})
		if err != nil {
			return err
		}
		return s.afterStep(ctx, j, sum, traces, gone)
	})
}

// afterStep reads back what a step stored, and removes what depends on the traces.
func (s *Service) afterStep(ctx context.Context, j *Job, sum string, traces []string, gone Removed) error {
	if err := s.reread(ctx, j); err != nil {
		return err
	}
	if err := s.learn(ctx, j.Project, gone.Sharers); err != nil {
		return err
	}
	j.Certificate = &Certificate{TraceHash: sum}
	n, err := s.Rows.DeleteSharesOf(ctx, j.Project, traces)
	if err != nil {
		return err
	}
	j.Counts.Shares += int64(n)
	s.show(j)
	if j.Kind == "user" || j.Kind == "session" {
		notes, err := s.Truth.EraseSessionNotes(ctx, j.Project, gone.Sessions)
		if err != nil {
			return err
		}
		j.Counts.Notes += notes
	}
	cached, err := s.forgetCached(ctx, j.Project, traces, gone.Sessions)
	j.Counts.Cached += cached
	return err
}

// learn has texts found again that were found at an erased span and that others hold too.
func (s *Service) learn(ctx context.Context, p tenant.ProjectID, sharers []span.Key) error {
	if s.FullText == nil || len(sharers) == 0 {
		return nil
	}
	for keys := range slices.Chunk(sharers, 1000) {
		spans, err := s.Truth.Spans(ctx, p, keys)
		if err == nil {
			err = s.FullText.Learn(ctx, spans)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) reread(ctx context.Context, j *Job) (err error) {
	scanErr := s.Truth.Erasures(ctx, func(id string, b []byte) bool {
		if id != j.ID {
			return true
		}
		var c Job
		if err = jsonx.Unmarshal(b, &c); err == nil {
			j.Counts, j.Days = c.Counts, c.Days
		}
		return false
	})
	if scanErr != nil {
		return scanErr
	}
	return err
}

// forgetCached removes remembered thinking of the traces, and the threads of sessions.
func (s *Service) forgetCached(ctx context.Context, p tenant.ProjectID, traces, sessions []string) (int64, error) {
	gone := map[string]bool{}
	for _, v := range slices.Concat(traces, sessions) {
		gone[v] = true
	}
	return s.Truth.ForgetKV(ctx, func(key, value []byte) bool { return Cached(p, key, value, gone) })
}

// eraseMemory empties what the process remembers, and notes of sessions.
func (s *Service) eraseMemory(ctx context.Context, j *Job) error {
	if j.Kind == "session" {
		n, err := s.Truth.EraseSessionNotes(ctx, j.Project, []string{j.Selection.Session})
		if err != nil {
			return err
		}
		j.Counts.Notes += n
	}
	return s.Recorder.Forget(ctx)
}

// eraseLedger replaces the user of charges by a pseudonym: amounts are accounts, which stay.
func (s *Service) eraseLedger(ctx context.Context, j *Job) error {
	if j.Kind != "user" {
		return nil
	}
	user, alias := spenderOf(j)
	n, err := s.Truth.EditLedger(ctx, func(e *span.LedgerEntry) bool {
		if e.Project != j.Project || e.User != user {
			return false
		}
		e.User = alias
		return true
	})
	if err != nil {
		return err
	}
	j.Counts.Ledger += n
	return s.Rows.RenameSpender(ctx, j.Project, user, alias)
}

// erasePoints removes data points that name the user or session; traces they do not name.
func (s *Service) erasePoints(ctx context.Context, j *Job) error {
	if s.Points == nil || j.Kind != "user" && j.Kind != "session" {
		return nil
	}
	n, err := s.Points.ErasePoints(ctx, j.Project, j.Selection.value())
	j.Counts.Points += n
	return err
}

// spenderOf is the user of a job, and the pseudonym.
func spenderOf(j *Job) (user, alias tenant.UserID) {
	return tenant.UserID(j.Selection.User), tenant.UserID("erased-" + audit.Fingerprint(j.ID, j.Selection.User)[:16])
}

func (s *Service) eraseIndex(ctx context.Context, _ *Job) error {
	return s.Index.Rebuild(ctx)
}

// purge makes what was removed unreadable in the files. The job forgets before that what it selected.
func (s *Service) purge(ctx context.Context, j *Job) error {
	j.Step = "rewriting files"
	purged := *j
	purged.Selection = Selection{}
	if err := s.Truth.PutErasure(ctx, j.ID, jsonx.MustMarshal(&purged)); err != nil {
		return err
	}
	s.show(j)
	if err := s.Truth.Purge(ctx, j.Project, j.Days); err != nil {
		return err
	}
	if user, alias := spenderOf(j); j.Kind == "user" { // again: charges may have been on their way to the rows
		if err := s.Rows.RenameSpender(ctx, j.Project, user, alias); err != nil {
			return err
		}
	}
	if err := s.Rows.Scrub(ctx); err != nil {
		return err
	}
	j.Certificate = s.certificate(j)
	return nil
}

func (s *Service) certificate(j *Job) *Certificate {
	c := &Certificate{
		Job: j.ID, Kind: j.Kind, Fingerprint: j.Fingerprint, Counts: j.Counts, Started: j.Created, Finished: s.Now().UTC(),
		Removed:    []string{"spans", "bodies and messages no other trace of their day uses", "scores and comments on the traces", "index and search entries", "remembered thinking and session threads", "share links", "notes of calls in flight"},
		Kept:       []string{"charges in the ledger and daily sums, with amounts, ids of calls, model, key, team and tags: they are accounts", "this audit log", "user accounts, keys and settings: delete them where they are managed"},
		NotCovered: []string{"backups", "exports and files downloaded from this server", "what providers and clients keep themselves", "logs written outside the data folder"},
	}
	if j.Certificate != nil {
		c.TraceHash = j.Certificate.TraceHash
	}
	if j.Counts.SharedKept > 0 {
		c.Kept = append(c.Kept, fmt.Sprintf("%d bodies and messages that other traces hold as well", j.Counts.SharedKept))
	}
	if j.Kind == "user" || j.Kind == "session" {
		c.Removed = append(c.Removed, "data points of metrics with this "+j.Kind+" in an attribute")
	}
	if j.Kind == "user" {
		c.Kept = append(c.Kept, "the user's own charges, under a pseudonym")
	}
	return c
}
