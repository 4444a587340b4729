package api

import (
	"bytes"
	"context"
	"net/http"

	"github.com/tidwall/gjson"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/query"
	"weir/internal/span"
)

// SessionRow sums up a session.
type SessionRow struct {
	Session        string   `json:"session"`
	Name           string   `json:"name" doc:"preview of the first user text"`
	Client         string   `json:"client"`
	User           string   `json:"user"`
	Email          string   `json:"email"`
	KeyAlias       string   `json:"key_alias"`
	Start          string   `json:"start" format:"date-time"`
	End            string   `json:"end" format:"date-time"`
	Calls          int64    `json:"calls"`
	Errors         int64    `json:"errors"`
	CostUSD        float64  `json:"cost_usd"`
	Usage          Usage    `json:"usage"`
	Models         []string `json:"models" nullable:"false"`
	CacheReadShare float64  `json:"cache_read_share" doc:"part of the input tokens that was read from a cache, 0 to 1"`

	Traces    int64       `json:"traces"`
	Spans     int64       `json:"spans"`
	Scores    []ScoreMean `json:"scores" nullable:"false"`
	FirstSeen string      `json:"first_seen" format:"date-time"`
	LastSeen  string      `json:"last_seen" format:"date-time"`
}

// ScoreMean is the average of a score.
type ScoreMean struct {
	Name  string   `json:"name"`
	Avg   *float64 `json:"avg" nullable:"true" doc:"null for a score that is no number"`
	Count int64    `json:"count"`
}

func meansOf(means []query.ScoreMean) []ScoreMean {
	out := make([]ScoreMean, len(means))
	for i, m := range means {
		out[i] = ScoreMean{Name: m.Name, Avg: m.Mean, Count: m.Count}
	}
	return out
}

// SessionList is a page of sessions.
type SessionList struct {
	Items      []SessionRow `json:"items" nullable:"false"`
	NextCursor string       `json:"next_cursor"`
	Partial    bool         `json:"partial"`
}

// Session is an agent's run as one conversation: each call adds only what is new.
type Session struct {
	SessionRow
	Calls      []SessionCall `json:"steps" nullable:"false" doc:"calls in order of start"`
	NextCursor string        `json:"next_cursor" doc:"of further steps"`
	Partial    bool          `json:"partial"`
}

// SessionCall is one step of a session.
type SessionCall struct {
	Trace          string      `json:"trace"`
	Span           string      `json:"span"`
	Start          string      `json:"start" format:"date-time"`
	DurationMS     float64     `json:"duration_ms"`
	FirstTokenMS   *float64    `json:"first_token_ms" nullable:"true"`
	Model          string      `json:"model"`
	Status         string      `json:"status"`
	HTTP           int         `json:"http"`
	ErrorText      string      `json:"error_text"`
	Usage          Usage       `json:"usage"`
	CostUSD        float64     `json:"cost_usd"`
	RunningCostUSD float64     `json:"running_cost_usd" doc:"of this step and those before it on this page"`
	Finish         string      `json:"finish"`
	Dialect        string      `json:"dialect" doc:"wire format of the messages and the answer"`
	NewMessages    []jsonx.Raw `json:"new_messages" nullable:"false"`
	Answer         jsonx.Raw   `json:"answer" doc:"whole answer, null if there was none"`
	System         jsonx.Raw   `json:"system,omitempty" doc:"system prompt of the request, at the first step and where it changes"`
	ToolsCount     int         `json:"tools_count"`
	BodiesMissing  bool        `json:"bodies_missing" doc:"bodies were not recorded, or are gone"`
}

func (s *Surface) sessions() {
	register(s, op{method: http.MethodGet, path: "/sessions", id: "listSessions", doc: "Sessions with a selected span, the latest active first"}, s.listSessions)
	register(s, op{method: http.MethodGet, path: "/sessions/{session}", id: "getSession", doc: "A session, step by step"}, s.getSession)
}

type listSessionsInput struct {
	Selection
	Paging
}

func (s *Surface) listSessions(ctx context.Context, in *listSessionsInput) (*body[SessionList], error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	got, err := s.Query.Sessions(ctx, q, query.Page{Limit: in.Limit, Cursor: in.Cursor})
	if err != nil {
		return nil, err
	}
	out := SessionList{Items: make([]SessionRow, len(got.Sessions)), NextCursor: got.Cursor, Partial: got.Partial}
	for i, x := range got.Sessions {
		out.Items[i] = sessionRow(x)
	}
	return reply(out)
}

func sessionRow(x query.Session) SessionRow {
	r := SessionRow{
		Session: x.Session, Client: x.Client, User: string(x.User), Email: x.Email, KeyAlias: x.KeyAlias, Start: stamp(x.Start),
		End: stamp(x.End), Calls: x.Calls, Errors: x.Errors, CostUSD: x.Cost.USD(), Usage: usageOf(x.Usage), Models: list(x.Models),
		Traces: x.Traces, Spans: x.Spans, Scores: meansOf(x.Scores), FirstSeen: stamp(x.Start), LastSeen: stamp(x.End),
	}
	if all := x.Usage.Prompt(); all > 0 {
		r.CacheReadShare = float64(x.Usage.CacheRead) / float64(all)
	}
	if x.FirstSpan != nil {
		r.Name = x.FirstSpan.Input.Preview
	}
	return r
}

type getSessionInput struct {
	Session string `path:"session" maxLength:"512"`
	Limit   int    `query:"limit" minimum:"1" maximum:"500" default:"200"`
	Cursor  string `query:"cursor" maxLength:"2048"`
}

func (s *Surface) getSession(ctx context.Context, in *getSessionInput) (*body[Session], error) {
	p := edge.Who(ctx).Project
	x, partial, err := s.Query.Session(ctx, p, in.Session)
	if err != nil {
		return nil, err
	}
	q := query.Query{Project: p, Filter: query.CallsOnly(query.Is(query.FieldNamed("session"), in.Session))}
	got, err := s.Query.List(ctx, q, query.Page{Sort: query.Sort{Asc: true}, Limit: in.Limit, Cursor: in.Cursor})
	if err != nil {
		return nil, err
	}
	out := Session{SessionRow: sessionRow(x), Calls: make([]SessionCall, 0, len(got.Items)), NextCursor: got.Cursor, Partial: partial || got.Partial}
	steps := stepper{s: s}
	for _, sp := range got.Items {
		c, err := steps.step(ctx, sp)
		if err != nil {
			return nil, err
		}
		out.Calls = append(out.Calls, c)
	}
	return reply(out)
}

// stepper carries from call to call what only changes are shown of.
type stepper struct {
	s        *Surface
	cost     money.Nano
	skeleton span.Hash // of the latest request looked into
	seen     bool
	system   []byte
	tools    int
}

func (t *stepper) step(ctx context.Context, sp *span.Span) (SessionCall, error) {
	if !sp.Covered {
		t.cost += sp.Cost.Total
	}
	row := rowOf(sp)
	c := SessionCall{
		Trace: sp.Trace, Span: sp.ID, Start: row.Start, DurationMS: row.DurationMS, FirstTokenMS: row.FirstTokenMS, Model: sp.Group,
		Status: row.Status, HTTP: sp.HTTP, ErrorText: sp.ErrorText, Usage: row.Usage, CostUSD: row.CostUSD, RunningCostUSD: t.cost.USD(),
		Finish: sp.Finish, Dialect: sp.Dialect, NewMessages: []jsonx.Raw{}, Answer: jsonx.Raw("null"),
	}
	err := t.bodies(ctx, sp, &c)
	if fault.Is(err, fault.NotFound) {
		c.BodiesMissing, err = true, nil
	}
	return c, err
}

func (t *stepper) bodies(ctx context.Context, sp *span.Span, c *SessionCall) error {
	if sp.Input.Form == span.FormNone {
		c.BodiesMissing = true
		return nil
	}
	fresh, err := t.s.Bodies.NewMessages(ctx, sp)
	if err != nil {
		return err
	}
	c.NewMessages = list(fresh)
	if err := t.context(ctx, sp, c); err != nil {
		return err
	}
	if sp.Output.Form == span.FormNone {
		return nil
	}
	answer, err := t.s.Bodies.Body(ctx, sp, sp.Output)
	if err == nil && jsonx.Valid(answer) {
		c.Answer = answer
	}
	return err
}

// context reads what stands beside the messages, if it is not the same as in the call before.
func (t *stepper) context(ctx context.Context, sp *span.Span, c *SessionCall) error {
	if t.seen && sp.Input.Skeleton == t.skeleton && sp.Input.Form == span.FormConversation {
		c.ToolsCount = t.tools
		return nil
	}
	b, err := t.s.Bodies.Body(ctx, sp, sp.Input)
	if err != nil {
		return err
	}
	system := systemOf(b, llm.Dialect(sp.Dialect))
	if len(system) > 0 && !bytes.Equal(system, t.system) {
		c.System = system
	}
	t.tools = toolsOf(b)
	t.seen, t.skeleton, t.system, c.ToolsCount = true, sp.Input.Skeleton, system, t.tools
	return nil
}

// systemOf is the system prompt as the dialect writes it. OpenAI's stands among the messages.
func systemOf(b []byte, d llm.Dialect) jsonx.Raw {
	if d == llm.OpenAIChat {
		return nil
	}
	return jsonx.Raw(gjson.GetBytes(b, "system").Raw)
}

func toolsOf(b []byte) int {
	if n := gjson.GetBytes(b, "tools.#"); n.Exists() {
		return int(n.Int())
	}
	return int(gjson.GetBytes(b, "toolConfig.tools.#").Int())
}
