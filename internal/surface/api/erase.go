package api

import (
	"context"
	"net/http"

	"weir/internal/edge"
	"weir/internal/erase"
	"weir/internal/tenant"
)

// Erasures removes what was recorded for good; erase.Service is one.
type Erasures interface {
	// Begin starts a job and waits a moment for its end.
	Begin(ctx context.Context, p tenant.ProjectID, r erase.Request) (erase.Job, error)
	Job(p tenant.ProjectID, id string) (erase.Job, error)
	Jobs(p tenant.ProjectID) []erase.Job
}

var _ Erasures = (*erase.Service)(nil)

// Erasure is a job that erases.
type Erasure struct {
	Job         string              `json:"job"`
	State       string              `json:"state" enum:"running,done,failed"`
	Step        string              `json:"step" doc:"what a running job is doing"`
	DryRun      bool                `json:"dry_run"`
	Kind        string              `json:"kind" enum:"trace,filter,user,session"`
	Fingerprint string              `json:"fingerprint" doc:"SHA-256 that stands for what was named"`
	Reason      string              `json:"reason"`
	Actor       string              `json:"actor"`
	Traces      int64               `json:"traces"`
	Spans       int64               `json:"spans"`
	Bytes       int64               `json:"bytes" doc:"of bodies"`
	Content     int64               `json:"content" doc:"bodies and messages"`
	SharedKept  int64               `json:"shared_kept" doc:"bodies and messages that stay, since other traces hold them too"`
	Notes       int64               `json:"notes"`
	Created     string              `json:"created"`
	Finished    string              `json:"finished"`
	Certificate *ErasureCertificate `json:"certificate" doc:"null until it is done"`
	Error       string              `json:"error"`
}

// ErasureCertificate says what is gone, what was kept and why, and what is out of reach.
type ErasureCertificate struct {
	Job         string       `json:"job"`
	Kind        string       `json:"kind"`
	Fingerprint string       `json:"fingerprint"`
	Counts      erase.Counts `json:"counts"`
	TraceHash   string       `json:"traces_sha256" doc:"over the ids of the erased traces"`
	Started     string       `json:"started"`
	Finished    string       `json:"finished"`
	Removed     []string     `json:"removed" nullable:"false"`
	Kept        []string     `json:"kept" nullable:"false"`
	NotCovered  []string     `json:"not_covered" nullable:"false"`
}

// ErasureList is the jobs of a project, newest first.
type ErasureList struct {
	Items []Erasure `json:"items" nullable:"false"`
}

type eraseInput struct {
	Body struct {
		Trace   string `json:"trace,omitempty" maxLength:"200"`
		Filter  string `json:"filter,omitempty" maxLength:"8192" doc:"erases whole traces of which any span passes"`
		User    string `json:"user,omitempty" maxLength:"320" doc:"user id, end user or e-mail"`
		Session string `json:"session,omitempty" maxLength:"1000"`
		DryRun  bool   `json:"dry_run,omitempty" doc:"only count"`
		Reason  string `json:"reason,omitempty" maxLength:"1000" doc:"kept in the audit log: name nobody"`
	}
}

type erasureInput struct {
	ID string `path:"id" maxLength:"100"`
}

func (s *Surface) erasing() {
	register(s, op{method: http.MethodPost, path: "/erase", id: "erase", doc: "Erase traces for good: by trace, filter, user or session", access: edge.Admin, status: http.StatusAccepted}, s.erase)
	register(s, op{method: http.MethodGet, path: "/erase", id: "listErasures", doc: "Erasures of the project, newest first", access: edge.Admin}, s.listErasures)
	register(s, op{method: http.MethodGet, path: "/erase/{id}", id: "getErasure", doc: "An erasure, with its certificate once done", access: edge.Admin}, s.getErasure)
}

func (s *Surface) erase(ctx context.Context, in *eraseInput) (*body[Erasure], error) {
	who, b := edge.Who(ctx), in.Body
	r := erase.Request{
		Selection: erase.Selection{Trace: b.Trace, Filter: b.Filter, User: b.User, Session: b.Session}, DryRun: b.DryRun, Reason: b.Reason, Who: who, IP: s.clientIP(ctx),
	}
	j, err := s.Erasures.Begin(ctx, who.Project, r)
	if err != nil {
		return nil, err
	}
	return reply(erasureOf(j))
}

func (s *Surface) listErasures(ctx context.Context, _ *none) (*body[ErasureList], error) {
	jobs := s.Erasures.Jobs(edge.Who(ctx).Project)
	out := ErasureList{Items: make([]Erasure, len(jobs))}
	for i, j := range jobs {
		out.Items[i] = erasureOf(j)
	}
	return reply(out)
}

func (s *Surface) getErasure(ctx context.Context, in *erasureInput) (*body[Erasure], error) {
	j, err := s.Erasures.Job(edge.Who(ctx).Project, in.ID)
	if err != nil {
		return nil, err
	}
	return reply(erasureOf(j))
}

func erasureOf(j erase.Job) Erasure {
	e := Erasure{
		Job: j.ID, State: string(j.State), Step: j.Step, DryRun: j.DryRun, Kind: j.Kind, Fingerprint: j.Fingerprint, Reason: j.Reason, Actor: j.Actor,
		Traces: j.Counts.Traces, Spans: j.Counts.Spans, Bytes: j.Counts.Bytes, Content: j.Counts.Content, SharedKept: j.Counts.SharedKept, Notes: j.Counts.Notes,
		Created: stamp(j.Created), Finished: stamp(j.Finished), Error: j.Error,
	}
	if c := j.Certificate; c != nil {
		e.Certificate = &ErasureCertificate{
			Job: c.Job, Kind: c.Kind, Fingerprint: c.Fingerprint, Counts: c.Counts, TraceHash: c.TraceHash, Started: stamp(c.Started), Finished: stamp(c.Finished),
			Removed: list(c.Removed), Kept: list(c.Kept), NotCovered: list(c.NotCovered),
		}
	}
	return e
}
