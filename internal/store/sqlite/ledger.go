package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"weir/internal/budget"
	"weir/internal/fault"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Applied implements budget.Rows.
func (s *Store) Applied(ctx context.Context) (seq uint64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT seq FROM ledger_position").Scan(&seq)
	return seq, failed(err, "ledger position")
}

// Apply implements budget.Rows.
func (s *Store) Apply(ctx context.Context, entries []span.LedgerEntry) error {
	if len(entries) == 0 {
		return nil
	}
	return s.inTx(ctx, func(tx *sql.Tx) error {
		var seq uint64
		if err := tx.QueryRowContext(ctx, "SELECT seq FROM ledger_position").Scan(&seq); err != nil {
			return failed(err, "ledger position")
		}
		sum := newSums()
		for i := range entries {
			if e := &entries[i]; e.Seq > seq {
				sum.add(e)
				seq = e.Seq
			}
		}
		if err := sum.write(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE ledger_position SET seq = ?", seq)
		return failed(err, "ledger position")
	})
}

// sums gathers a batch, so that a busy key costs one row write rather than one per call.
type sums struct {
	accounts []account // in order of appearance
	charges  map[account][]*span.LedgerEntry
	daily    map[budget.Daily]*budget.Daily // by identifying fields
	tags     map[budget.Daily]*budget.Daily
}

type account struct {
	scope tenant.Scope
	id    string
}

func newSums() *sums {
	return &sums{charges: map[account][]*span.LedgerEntry{}, daily: map[budget.Daily]*budget.Daily{}, tags: map[budget.Daily]*budget.Daily{}}
}

func (s *sums) add(e *span.LedgerEntry) {
	for _, a := range []account{{tenant.ScopeKey, string(e.Key)}, {tenant.ScopeUser, string(e.User)}, {tenant.ScopeTeam, string(e.Team)}} {
		if a.id == "" {
			continue
		}
		if s.charges[a] == nil {
			s.accounts = append(s.accounts, a)
		}
		s.charges[a] = append(s.charges[a], e)
	}
	day := span.DayOf(e.Time)
	sum(s.daily, budget.Daily{Day: day, Project: e.Project, Key: e.Key, User: e.User, Team: e.Team, Model: e.Model}, e)
	for i, t := range e.Tags {
		if !slices.Contains(e.Tags[:i], t) {
			sum(s.tags, budget.Daily{Day: day, Project: e.Project, Tag: t}, e)
		}
	}
}

func sum(into map[budget.Daily]*budget.Daily, id budget.Daily, e *span.LedgerEntry) {
	d := into[id]
	if d == nil {
		d = new(budget.Daily)
		*d = id
		into[id] = d
	}
	d.Calls++
	if e.Failed {
		d.Failed++
	}
	d.Input += e.Usage.Input
	d.CacheRead += e.Usage.CacheRead
	d.CacheWrite += e.Usage.CacheWrite
	d.CacheWrite1h += e.Usage.CacheWrite1h
	d.Output += e.Usage.Output
	d.Cost += e.Cost
}

func (s *sums) write(ctx context.Context, tx *sql.Tx) error {
	for _, a := range s.accounts {
		if err := charge(ctx, tx, a, s.charges[a]); err != nil {
			return err
		}
	}
	const add = `calls = calls + excluded.calls, failed = failed + excluded.failed, input = input + excluded.input,
		cache_read = cache_read + excluded.cache_read, cache_write = cache_write + excluded.cache_write,
		cache_write_1h = cache_write_1h + excluded.cache_write_1h, output = output + excluded.output, cost = cost + excluded.cost`
	for _, d := range s.daily {
		if _, err := tx.ExecContext(ctx, "INSERT INTO daily VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "+add,
			append([]any{d.Project, d.Day, d.Key, d.User, d.Team, d.Model}, sumValues(d)...)...); err != nil {
			return failed(err, "roll-up")
		}
	}
	for _, d := range s.tags {
		if _, err := tx.ExecContext(ctx, "INSERT INTO daily_tags VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "+add,
			append([]any{d.Project, d.Day, d.Tag}, sumValues(d)...)...); err != nil {
			return failed(err, "roll-up")
		}
	}
	return nil
}

func sumValues(d *budget.Daily) []any {
	return []any{d.Calls, d.Failed, d.Input, d.CacheRead, d.CacheWrite, d.CacheWrite1h, d.Output, d.Cost}
}

// charge adds the entries of one account to its spend, in the windows of the budget it has now.
func charge(ctx context.Context, tx *sql.Tx, a account, entries []*span.LedgerEntry) error {
	b, err := periodOf(ctx, tx, a)
	if err != nil {
		return err
	}
	var sp budget.Spend
	var start int64
	err = tx.QueryRowContext(ctx, "SELECT total, window, start FROM spend WHERE scope = ? AND id = ?", a.scope, a.id).
		Scan(&sp.Total, &sp.Window, &start)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return failed(err, "spend")
	}
	sp.Start = instant(start)
	for _, e := range entries {
		sp.Add(b, e.Time, e.Cost)
	}
	_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO spend (scope, id, total, window, start) VALUES (?, ?, ?, ?, ?)",
		a.scope, a.id, sp.Total, sp.Window, nanos(sp.Start))
	return failed(err, "spend")
}

var periodQueries = map[tenant.Scope]string{
	tenant.ScopeKey:  "SELECT budget_period, budget_reset FROM keys WHERE id = ?",
	tenant.ScopeUser: "SELECT budget_period, budget_reset FROM users WHERE id = ?",
	tenant.ScopeTeam: "SELECT budget_period, budget_reset FROM teams WHERE id = ?",
}

// periodOf is the budget period of an account; a deleted one has none.
func periodOf(ctx context.Context, tx *sql.Tx, a account) (b tenant.Budget, err error) {
	q, ok := periodQueries[a.scope]
	if !ok {
		return b, fault.New(fault.Internal, "unknown account scope %q", a.scope)
	}
	var reset int64
	err = tx.QueryRowContext(ctx, q, a.id).Scan(&b.Period, &reset)
	b.ResetAt = instant(reset)
	if errors.Is(err, sql.ErrNoRows) {
		return tenant.Budget{}, nil
	}
	return b, failed(err, "account")
}

// Spends implements budget.Rows.
func (s *Store) Spends(ctx context.Context) ([]budget.AccountSpend, error) {
	return query(ctx, s.read, func(r scanner) (a budget.AccountSpend, err error) {
		var start int64
		err = r.Scan(&a.Scope, &a.ID, &a.Total, &a.Window, &start)
		a.Start = instant(start)
		return a, err
	}, "SELECT scope, id, total, window, start FROM spend ORDER BY scope, id")
}

// Daily implements budget.Rows.
func (s *Store) Daily(ctx context.Context, q budget.DailyQuery) ([]budget.Daily, error) {
	w := days(q)
	equals(&w, "key", q.Key)
	equals(&w, "user", q.User)
	equals(&w, "team", q.Team)
	equals(&w, "model", q.Model)
	return query(ctx, s.read, func(r scanner) (d budget.Daily, err error) {
		err = r.Scan(&d.Project, &d.Day, &d.Key, &d.User, &d.Team, &d.Model, &d.Calls, &d.Failed, &d.Input, &d.CacheRead, &d.CacheWrite,
			&d.CacheWrite1h, &d.Output, &d.Cost)
		return d, err
	}, "SELECT * FROM daily"+w.String()+" ORDER BY project, day, key, user, team, model", w.args...)
}

// DailyTags implements budget.Rows.
func (s *Store) DailyTags(ctx context.Context, q budget.DailyQuery) ([]budget.Daily, error) {
	w := days(q)
	equals(&w, "tag", q.Tag)
	return query(ctx, s.read, func(r scanner) (d budget.Daily, err error) {
		err = r.Scan(&d.Project, &d.Day, &d.Tag, &d.Calls, &d.Failed, &d.Input, &d.CacheRead, &d.CacheWrite, &d.CacheWrite1h, &d.Output, &d.Cost)
		return d, err
	}, "SELECT * FROM daily_tags"+w.String()+" ORDER BY project, day, tag", w.args...)
}

func days(q budget.DailyQuery) (w where) {
	w.add("project = ?", q.Project)
	if q.From > 0 {
		w.add("day >= ?", q.From)
	}
	if q.To > 0 {
		w.add("day <= ?", q.To)
	}
	return w
}

func equals[S ~string](w *where, column string, value S) {
	if value != "" {
		w.add(column+" = ?", value)
	}
}
