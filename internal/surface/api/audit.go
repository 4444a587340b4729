package api

import (
	"context"
	"net/http"
	"strconv"

	"weir/internal/audit"
	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/tenant"
)

// AuditLog is written by what administers, and read by administrators; audit.Chain is one.
type AuditLog interface {
	audit.Log
	Entries(ctx context.Context, q audit.Query) ([]audit.Entry, error)
	Verify(ctx context.Context) (audit.Check, error)
}

var _ AuditLog = (*audit.Chain)(nil)

// noted records what the caller of a request did, after it was done. Action is "noun.verb"; detail never holds a secret.
func (s *Surface) noted(ctx context.Context, action, target string, detail map[string]any) {
	if s.Audit != nil {
		s.Audit.Record(ctx, audit.Event{Who: edge.Who(ctx), Action: action, Target: target, Detail: detail, IP: s.clientIP(ctx)})
	}
}

// AuditEntry is a line of the audit log.
type AuditEntry struct {
	Seq     int64     `json:"seq"`
	Time    string    `json:"time"`
	Actor   string    `json:"actor" doc:"e-mail, user id or alias of a key; system for the server itself"`
	Means   string    `json:"means" doc:"how the actor proved who it is"`
	Action  string    `json:"action" example:"key.create"`
	Target  string    `json:"target"`
	Project string    `json:"project"`
	Detail  jsonx.Raw `json:"detail"`
	IP      string    `json:"ip"`
	Hash    string    `json:"hash" doc:"SHA-256 over the hash of the entry before and this entry"`
}

// AuditList is a page of the audit log.
type AuditList struct {
	Items      []AuditEntry `json:"items" nullable:"false"`
	NextCursor string       `json:"next_cursor"`
}

// AuditCheck says whether the audit log is whole.
type AuditCheck struct {
	OK       bool   `json:"ok"`
	Entries  int64  `json:"entries" doc:"good entries before the first broken one"`
	BrokenAt int64  `json:"broken_at,omitempty" doc:"number of the first entry that was changed or is missing"`
	Reason   string `json:"reason,omitempty"`
	Head     string `json:"head" doc:"hash of the last good entry; a copy kept elsewhere proves later that nothing up to it was changed"`
}

func (s *Surface) auditing() {
	register(s, op{method: http.MethodGet, path: "/audit", id: "listAudit", doc: "The audit log of the installation, newest first", access: edge.Admin}, s.listAudit)
	register(s, op{method: http.MethodGet, path: "/audit/verify", id: "verifyAudit", doc: "Check the audit log's chain of hashes", access: edge.Admin}, s.verifyAudit)
}

type listAuditInput struct {
	Search  string `query:"search" maxLength:"200" doc:"part of action, target, actor or detail"`
	Action  string `query:"action" maxLength:"100" doc:"an action, or all of a noun: key.*"`
	Actor   string `query:"actor" maxLength:"320"`
	Project string `query:"project" maxLength:"200"`
	From    string `query:"from" format:"date-time"`
	To      string `query:"to" format:"date-time"`
	Paging
}

func (s *Surface) listAudit(ctx context.Context, in *listAuditInput) (*body[AuditList], error) {
	q := audit.Query{Search: in.Search, Action: in.Action, Actor: in.Actor, Project: tenant.ProjectID(in.Project), Limit: in.Limit}
	var err error
	if q.From, err = parseTime("from", in.From); err != nil {
		return nil, err
	}
	if q.To, err = parseTime("to", in.To); err != nil {
		return nil, err
	}
	if in.Cursor != "" {
		if q.Before, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil || q.Before <= 0 {
			return nil, fault.Bad("cursor", "cursor is not one that was given out")
		}
	}
	entries, err := s.Audit.Entries(ctx, q)
	if err != nil {
		return nil, err
	}
	out := AuditList{Items: make([]AuditEntry, len(entries))}
	for i, e := range entries {
		out.Items[i] = AuditEntry{
			Seq: e.Seq, Time: stamp(e.Time), Actor: e.Actor, Means: e.Means, Action: e.Action, Target: e.Target,
			Project: string(e.Project), Detail: jsonx.Raw(e.Detail), IP: e.IP, Hash: e.Hash,
		}
	}
	if n := len(entries); n == in.Limit && entries[n-1].Seq > 1 {
		out.NextCursor = strconv.FormatInt(entries[n-1].Seq, 10)
	}
	return reply(out)
}

func (s *Surface) verifyAudit(ctx context.Context, _ *none) (*body[AuditCheck], error) {
	k, err := s.Audit.Verify(ctx)
	if err != nil {
		return nil, err
	}
	return reply(AuditCheck{OK: k.OK, Entries: k.Entries, BrokenAt: k.BrokenAt, Reason: k.Reason, Head: k.Head})
}
