package sqlite

import (
	"context"
	"database/sql"
	"strings"

	"weir/internal/audit"
)

var _ audit.Store = (*Store)(nil)

// AppendAudit implements audit.Store. The transaction holds the write lock from its start.
func (s *Store) AppendAudit(ctx context.Context, next func(audit.Entry) audit.Entry) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		var last audit.Entry
		if err := tx.QueryRowContext(ctx, "SELECT seq, hash FROM audit_head").Scan(&last.Seq, &last.Hash); err != nil {
			return failed(err, "head of the audit log")
		}
		e := next(last)
		if e.Seq != last.Seq+1 {
			return audit.ErrOrder
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO audit (seq, time, actor, means, action, target, project, ip, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			e.Seq, nanos(e.Time), e.Actor, e.Means, e.Action, e.Target, e.Project, e.IP, e.Detail, e.Hash)
		if err != nil {
			return failed(err, "audit entry")
		}
		_, err = tx.ExecContext(ctx, "UPDATE audit_head SET seq = ?, hash = ?", e.Seq, e.Hash)
		return failed(err, "head of the audit log")
	})
}

const auditColumns = "SELECT seq, time, actor, means, action, target, project, ip, detail, hash FROM audit"

func scanAudit(r scanner) (e audit.Entry, err error) {
	var at int64
	err = r.Scan(&e.Seq, &at, &e.Actor, &e.Means, &e.Action, &e.Target, &e.Project, &e.IP, &e.Detail, &e.Hash)
	e.Time = instant(at)
	return e, err
}

// Audit implements audit.Store.
func (s *Store) Audit(ctx context.Context, q audit.Query) ([]audit.Entry, error) {
	var w where
	if q.Search != "" {
		p := likes(q.Search)
		w.add(`(action LIKE ? ESCAPE '\' OR target LIKE ? ESCAPE '\' OR actor LIKE ? ESCAPE '\' OR detail LIKE ? ESCAPE '\')`, p, p, p, p)
	}
	if noun, all := strings.CutSuffix(q.Action, ".*"); all {
		w.add(`action LIKE ? ESCAPE '\'`, strings.TrimPrefix(likes(noun+"."), "%"))
	} else {
		equals(&w, "action", q.Action)
	}
	equals(&w, "actor", q.Actor)
	equals(&w, "project", q.Project)
	if !q.From.IsZero() {
		w.add("time >= ?", nanos(q.From))
	}
	if !q.To.IsZero() {
		w.add("time < ?", nanos(q.To))
	}
	if q.Before > 0 {
		w.add("seq < ?", q.Before)
	}
	return query(ctx, s.read, scanAudit, auditColumns+w.String()+" ORDER BY seq DESC LIMIT ?", append(w.args, q.Size())...)
}

// AuditChain implements audit.Store. Head and entries are read in one transaction.
func (s *Store) AuditChain(ctx context.Context, yield func(audit.Entry) bool) (seq int64, hash string, err error) {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return 0, "", failed(err, "audit log")
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	if err := tx.QueryRowContext(ctx, "SELECT seq, hash FROM audit_head").Scan(&seq, &hash); err != nil {
		return 0, "", failed(err, "head of the audit log")
	}
	rows, err := tx.QueryContext(ctx, auditColumns+" ORDER BY seq")
	if err != nil {
		return 0, "", failed(err, "audit log")
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scanAudit(rows)
		if err != nil {
			return 0, "", failed(err, "audit entry")
		}
		if !yield(e) {
			break
		}
	}
	return seq, hash, failed(rows.Err(), "audit log")
}
