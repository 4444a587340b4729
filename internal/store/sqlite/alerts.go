package sqlite

import (
	"context"
	"database/sql"
	"time"

	"weir/internal/alert"
	"weir/internal/jsonx"
	"weir/internal/tenant"
)

var _ alert.Store = (*Store)(nil)

const alertColumns = `SELECT project, id, name, enabled, filter, measure, group_by, op, threshold, lookback, every, cooldown, min_calls, no_data, channels,
	snoozed, owner, created, updated, checked FROM alerts`

func scanAlert(r scanner) (a alert.Rule, err error) {
	var channels string
	var snoozed, created, updated, checked int64
	err = r.Scan(&a.Project, &a.ID, &a.Name, &a.Enabled, &a.Filter, &a.Measure, &a.GroupBy, &a.Op, &a.Threshold, &a.Window, &a.Every, &a.Cooldown,
		&a.MinCalls, &a.NoData, &channels, &snoozed, &a.Owner, &created, &updated, &checked)
	if err != nil {
		return a, err
	}
	a.Snoozed, a.Created, a.Updated, a.Checked = instant(snoozed), instant(created), instant(updated), instant(checked)
	return a, jsonx.Unmarshal([]byte(channels), &a.Channels)
}

func alertValues(a alert.Rule) []any {
	return []any{
		a.Name, a.Enabled, a.Filter, a.Measure, a.GroupBy, a.Op, a.Threshold, int64(a.Window), int64(a.Every), int64(a.Cooldown), a.MinCalls, a.NoData,
		string(jsonx.MustMarshal(a.Channels)), nanos(a.Snoozed), nanos(a.Updated),
	}
}

// CreateAlert implements alert.Store.
func (s *Store) CreateAlert(ctx context.Context, a alert.Rule) error {
	return s.exec(ctx, "alert", `INSERT INTO alerts (name, enabled, filter, measure, group_by, op, threshold, lookback, every, cooldown, min_calls, no_data,
		channels, snoozed, updated, project, id, owner, created, checked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		append(alertValues(a), a.Project, a.ID, a.Owner, nanos(a.Created), nanos(a.Checked))...)
}

// Alert implements alert.Store.
func (s *Store) Alert(ctx context.Context, p tenant.ProjectID, id string) (alert.Rule, error) {
	a, err := scanAlert(s.read.QueryRowContext(ctx, alertColumns+" WHERE project = ? AND id = ?", p, id))
	return a, failed(err, "alert")
}

// Alerts implements alert.Store.
func (s *Store) Alerts(ctx context.Context, p tenant.ProjectID) ([]alert.Rule, error) {
	var w where
	if p != "" {
		w.add("project = ?", p)
	}
	return query(ctx, s.read, scanAlert, alertColumns+w.String()+" ORDER BY name, id", w.args...)
}

// UpdateAlert implements alert.Store.
func (s *Store) UpdateAlert(ctx context.Context, a alert.Rule) error {
	return s.exec(ctx, "alert", `UPDATE alerts SET name = ?, enabled = ?, filter = ?, measure = ?, group_by = ?, op = ?, threshold = ?, lookback = ?,
		every = ?, cooldown = ?, min_calls = ?, no_data = ?, channels = ?, snoozed = ?, updated = ? WHERE project = ? AND id = ?`,
		append(alertValues(a), a.Project, a.ID)...)
}

// DeleteAlert implements alert.Store.
func (s *Store) DeleteAlert(ctx context.Context, p tenant.ProjectID, id string) error {
	return s.exec(ctx, "alert", "DELETE FROM alerts WHERE project = ? AND id = ?", p, id)
}

// Standings implements alert.Store.
func (s *Store) Standings(ctx context.Context, p tenant.ProjectID, id string) ([]alert.Standing, error) {
	return query(ctx, s.read, func(r scanner) (g alert.Standing, err error) {
		var since, notified, seen int64
		err = r.Scan(&g.Group, &g.State, &g.Reason, &since, &g.Value, &g.Told, &notified, &seen)
		g.Since, g.Notified, g.Seen = instant(since), instant(notified), instant(seen)
		return g, err
	}, `SELECT grp, state, reason, since, value, told, notified, seen FROM alert_states
		WHERE alert = (SELECT id FROM alerts WHERE project = ? AND id = ?) ORDER BY grp`, p, id)
}

// Evaluated implements alert.Store.
func (s *Store) Evaluated(ctx context.Context, p tenant.ProjectID, id string, at time.Time, all []alert.Standing, events []alert.Event) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		if err := mustChange(ctx, tx, "alert", "UPDATE alerts SET checked = ? WHERE project = ? AND id = ?", nanos(at), p, id); err != nil {
			return err
		}
		if err := putStandings(ctx, tx, id, all); err != nil {
			return err
		}
		return putEvents(ctx, tx, id, events)
	})
}

// mustChange runs a write of a transaction that must touch a row.
func mustChange(ctx context.Context, tx *sql.Tx, what, text string, args ...any) error {
	res, err := tx.ExecContext(ctx, text, args...)
	if err != nil {
		return failed(err, what)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return failed(sql.ErrNoRows, what)
	}
	return nil
}

func putStandings(ctx context.Context, tx *sql.Tx, id string, all []alert.Standing) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM alert_states WHERE alert = ?", id); err != nil {
		return failed(err, "alert")
	}
	for _, g := range all {
		_, err := tx.ExecContext(ctx, `INSERT INTO alert_states (alert, grp, state, reason, since, value, told, notified, seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			id, g.Group, g.State, g.Reason, nanos(g.Since), g.Value, g.Told, nanos(g.Notified), nanos(g.Seen))
		if err != nil {
			return failed(err, "alert")
		}
	}
	return nil
}

func putEvents(ctx context.Context, tx *sql.Tx, id string, events []alert.Event) error {
	if len(events) == 0 {
		return nil
	}
	for _, e := range events {
		_, err := tx.ExecContext(ctx, `INSERT INTO alert_events (alert, time, grp, state, reason, value, notified) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			id, nanos(e.Time), e.Group, e.State, e.Reason, e.Value, string(jsonx.MustMarshal(e.Notified)))
		if err != nil {
			return failed(err, "alert")
		}
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM alert_events WHERE alert = ?1 AND seq <=
		(SELECT seq FROM alert_events WHERE alert = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)`, id, alert.MaxEvents)
	return failed(err, "alert")
}

// Events implements alert.Store.
func (s *Store) Events(ctx context.Context, p tenant.ProjectID, id string, limit int) ([]alert.Event, error) {
	return query(ctx, s.read, func(r scanner) (e alert.Event, err error) {
		var at int64
		var notified string
		if err := r.Scan(&at, &e.Group, &e.State, &e.Reason, &e.Value, &notified); err != nil {
			return e, err
		}
		e.Time = instant(at)
		return e, jsonx.Unmarshal([]byte(notified), &e.Notified)
	}, `SELECT time, grp, state, reason, value, notified FROM alert_events
		WHERE alert = (SELECT id FROM alerts WHERE project = ? AND id = ?) ORDER BY seq DESC LIMIT ?`, p, id, limit)
}
