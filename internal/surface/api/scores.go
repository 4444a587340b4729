package api

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/jsonx"
	"weir/internal/span"
	"weir/internal/tenant"
)

// ScoreInfo is a judgement of a span, a trace or a session.
type ScoreInfo struct {
	ID       string    `json:"id"`
	Trace    string    `json:"trace"`
	Span     string    `json:"span"`
	Session  string    `json:"session"`
	Name     string    `json:"name"`
	Type     string    `json:"type" enum:"numeric,categorical,boolean,text"`
	Value    any       `json:"value" doc:"a number, a boolean or a text, by type"`
	Text     string    `json:"text" doc:"the value as text"`
	Source   string    `json:"source" enum:"human,api,judge"`
	Author   string    `json:"author"`
	Comment  string    `json:"comment" doc:"why"`
	Metadata jsonx.Raw `json:"metadata"`
	Created  string    `json:"created"`
	Updated  string    `json:"updated"`
	Deleted  bool      `json:"deleted" doc:"only in histories"`
}

// ScoreList is scores of a target, by name.
type ScoreList struct {
	Items []ScoreInfo `json:"items" nullable:"false"`
}

// ScoreNames are the names that scores of a project have.
type ScoreNames struct {
	Names []ScoreNameInfo `json:"names" nullable:"false"`
}

// ScoreNameInfo is one of them.
type ScoreNameInfo struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	Count      int      `json:"count" doc:"of recent scores"`
	Categories []string `json:"categories" nullable:"false"`
}

// NoteTarget says what a note is about: a trace, a span of it, or a session.
type NoteTarget struct {
	Trace   string `query:"trace" maxLength:"200"`
	Span    string `query:"span" maxLength:"200"`
	Session string `query:"session" maxLength:"1000"`
}

func (t NoteTarget) target() (span.Target, error) {
	out := span.Target{Trace: t.Trace, Span: t.Span, Session: t.Session}
	return out, checkTarget(out)
}

func checkTarget(t span.Target) error {
	switch {
	case t.Trace == "" && t.Session == "":
		return fault.Bad("trace", "name a trace or a session")
	case t.Trace != "" && t.Session != "":
		return fault.Bad("session", "name a trace or a session, not both")
	case t.Span != "" && t.Trace == "":
		return fault.Bad("trace", "a span needs its trace")
	}
	return nil
}

// notes registers scores and comments.
func (s *Surface) notes() {
	register(s, op{method: http.MethodGet, path: "/scores", id: "listScores", doc: "Scores of a trace with its spans, of a span, or of a session"}, s.listScores)
	register(s, op{method: http.MethodPost, path: "/scores", id: "createScore", doc: "Score a span, a trace or a session; the same name, source and author replaces the earlier score", status: http.StatusCreated}, s.createScore)
	register(s, op{method: http.MethodGet, path: "/scores/names", id: "scoreNames", doc: "Names of scores"}, s.scoreNames)
	register(s, op{method: http.MethodPatch, path: "/scores/{id}", id: "updateScore", doc: "Change a score"}, s.updateScore)
	register(s, op{method: http.MethodDelete, path: "/scores/{id}", id: "deleteScore", doc: "Take a score back", status: http.StatusNoContent}, s.deleteScore)
	register(s, op{method: http.MethodGet, path: "/scores/{id}/history", id: "scoreHistory", doc: "All versions of a score, newest first"}, s.scoreHistory)
	s.comments()
}

// mayNote lets members and administrators write notes.
func mayNote(ctx context.Context) (*tenant.Identity, error) {
	who := edge.Who(ctx)
	return who, who.MayWrite()
}

// signature names the author of a note.
func signature(who *tenant.Identity) string {
	return cmp.Or(who.Email, string(who.User), who.KeyAlias, who.KeyName, string(who.Means))
}

// ownNote lets the author and administrators change a note.
func ownNote(ctx context.Context, author string) error {
	who, err := mayNote(ctx)
	if err == nil && !who.IsAdmin() && signature(who) != author {
		err = fault.New(fault.Forbidden, "only its author and administrators may change this")
	}
	return err
}

func (s *Surface) listScores(ctx context.Context, in *NoteTarget) (*body[ScoreList], error) {
	t, err := in.target()
	if err != nil {
		return nil, err
	}
	scores, err := s.Notes.Scores(ctx, edge.Who(ctx).Project, t)
	if err != nil {
		return nil, err
	}
	return reply(ScoreList{Items: scoreInfos(scores)})
}

func scoreInfos(scores []*span.Score) []ScoreInfo {
	out := make([]ScoreInfo, len(scores))
	for i, c := range scores {
		out[i] = scoreInfo(c)
	}
	return out
}

func scoreInfo(c *span.Score) ScoreInfo {
	out := ScoreInfo{
		ID: c.ID, Trace: c.Target.Trace, Span: c.Target.Span, Session: c.Target.Session, Name: c.Name, Type: string(c.Type), Text: span.MarkOf(c).Text,
		Source: string(c.Source), Author: c.Author, Comment: c.Comment, Metadata: object(c.Metadata), Created: stamp(c.Created), Updated: stamp(c.Updated), Deleted: c.Deleted,
	}
	switch c.Type {
	case span.Numeric:
		out.Value = c.Value
	case span.Boolean:
		out.Value = c.Value != 0
	default:
		out.Value = c.Text
	}
	return out
}

type createScoreInput struct {
	Body struct {
		ID       string    `json:"id,omitempty" maxLength:"200" doc:"made up if empty; a known one is replaced"`
		Trace    string    `json:"trace,omitempty" maxLength:"200"`
		Span     string    `json:"span,omitempty" maxLength:"200"`
		Session  string    `json:"session,omitempty" maxLength:"1000"`
		Name     string    `json:"name" minLength:"1" maxLength:"200"`
		Type     string    `json:"type,omitempty" enum:"numeric,categorical,boolean,text" doc:"by the value if empty: a text is categorical"`
		Value    jsonx.Raw `json:"value" doc:"a number, a boolean or a text"`
		Source   string    `json:"source,omitempty" enum:"human,api,judge" doc:"by the caller if empty: human for a login, api for a key"`
		Comment  string    `json:"comment,omitempty" maxLength:"20000"`
		Metadata jsonx.Raw `json:"metadata,omitempty" doc:"an object"`
	}
}

func (s *Surface) createScore(ctx context.Context, in *createScoreInput) (*body[ScoreInfo], error) {
	who, err := mayNote(ctx)
	if err != nil {
		return nil, err
	}
	b := in.Body
	c := &span.Score{
		Project: who.Project, ID: b.ID, Target: span.Target{Trace: b.Trace, Span: b.Span, Session: b.Session}, Name: b.Name,
		Type: span.ScoreType(b.Type), Source: span.ScoreSource(b.Source), Author: signature(who), Comment: b.Comment,
	}
	if c.Source == "" {
		c.Source = span.ByAPI
		if who.Means == tenant.BySession || who.Means == tenant.ByLocal {
			c.Source = span.ByHuman
		}
	}
	if err := checkTarget(c.Target); err != nil {
		return nil, err
	}
	if strings.TrimSpace(b.Name) == "" || strings.ContainsFunc(b.Name, unicode.IsControl) {
		return nil, fault.Bad("name", "name must be printable")
	}
	if err := setValue(c, b.Value); err != nil {
		return nil, err
	}
	if c.Metadata, err = metadataOf(b.Metadata); err != nil {
		return nil, err
	}
	if b.ID != "" {
		was, err := s.Notes.Score(ctx, who.Project, b.ID)
		if err == nil {
			err = ownNote(ctx, was.Author)
			c.Created = was.Created
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
	}
	if err := s.Notes.PutScore(ctx, c); err != nil {
		return nil, err
	}
	return reply(scoreInfo(c))
}

// Bounds of texts.
const (
	maxCategory = 256
	maxText     = 64 << 10
	maxMetadata = 16 << 10
)

// setValue reads a value, which must be of the score's type; without one it decides it.
func setValue(c *span.Score, raw jsonx.Raw) error {
	var v any
	if len(raw) == 0 || jsonx.Unmarshal(raw, &v) != nil {
		return fault.Bad("value", "value must be a number, a boolean or a text")
	}
	is := c.Type
	switch v := v.(type) {
	case float64:
		is = cmp.Or(is, span.Numeric)
		if is == span.Boolean && (v == 0 || v == 1) || is == span.Numeric && !math.IsInf(v, 0) && !math.IsNaN(v) {
			c.Type, c.Value, c.Text = is, v, ""
			return nil
		}
	case bool:
		if is = cmp.Or(is, span.Boolean); is == span.Boolean {
			c.Type, c.Value, c.Text = is, map[bool]float64{true: 1}[v], ""
			return nil
		}
	case string:
		is = cmp.Or(is, span.Categorical)
		switch {
		case is == span.Categorical && v != "" && len(v) <= maxCategory, is == span.FreeText && v != "" && len(v) <= maxText:
			c.Type, c.Value, c.Text = is, 0, v
			return nil
		case is == span.Categorical || is == span.FreeText:
			return fault.Bad("value", "a categorical value has 1 to %d bytes, a text 1 to %d", maxCategory, maxText)
		}
	}
	if is == "" {
		return fault.Bad("value", "value must be a number, a boolean or a text")
	}
	return fault.Bad("value", "the value does not fit type %s", is)
}

func metadataOf(raw jsonx.Raw) (jsonx.Raw, error) {
	var m map[string]jsonx.Raw
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, nil
	case len(raw) > maxMetadata:
		return nil, fault.Bad("metadata", "metadata is larger than %s bytes", strconv.Itoa(maxMetadata))
	case jsonx.Unmarshal(raw, &m) != nil:
		return nil, fault.Bad("metadata", "metadata must be an object")
	}
	return raw, nil
}

func (s *Surface) scoreNames(ctx context.Context, _ *none) (*body[ScoreNames], error) {
	names, err := s.Notes.ScoreNames(ctx, edge.Who(ctx).Project)
	if err != nil {
		return nil, err
	}
	out := ScoreNames{Names: make([]ScoreNameInfo, len(names))}
	for i, n := range names {
		out.Names[i] = ScoreNameInfo{Name: n.Name, Type: string(n.Type), Count: n.Count, Categories: list(n.Categories)}
	}
	return reply(out)
}

// NoteInput names a score or a comment.
type NoteInput struct {
	ID string `path:"id" maxLength:"200"`
}

type updateScoreInput struct {
	NoteInput
	Body struct {
		Value    jsonx.Raw `json:"value,omitempty" doc:"of the score's type"`
		Comment  *string   `json:"comment,omitempty" maxLength:"20000"`
		Metadata jsonx.Raw `json:"metadata,omitempty" doc:"an object, or null for none"`
	}
}

func (s *Surface) updateScore(ctx context.Context, in *updateScoreInput) (*body[ScoreInfo], error) {
	c, err := s.ownScore(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	b := in.Body
	if len(b.Value) > 0 {
		if err := setValue(c, b.Value); err != nil {
			return nil, err
		}
	}
	if b.Comment != nil {
		c.Comment = *b.Comment
	}
	if len(b.Metadata) > 0 {
		if c.Metadata, err = metadataOf(b.Metadata); err != nil {
			return nil, err
		}
	}
	c.Updated = s.Now().UTC()
	if err := s.Notes.PutScore(ctx, c); err != nil {
		return nil, err
	}
	return reply(scoreInfo(c))
}

func (s *Surface) ownScore(ctx context.Context, id string) (*span.Score, error) {
	if _, err := mayNote(ctx); err != nil {
		return nil, err
	}
	c, err := s.Notes.Score(ctx, edge.Who(ctx).Project, id)
	if err != nil {
		return nil, err
	}
	return c, ownNote(ctx, c.Author)
}

func (s *Surface) deleteScore(ctx context.Context, in *NoteInput) (*none, error) {
	if _, err := s.ownScore(ctx, in.ID); err != nil {
		return nil, err
	}
	return nil, s.Notes.DeleteScore(ctx, edge.Who(ctx).Project, in.ID)
}

func (s *Surface) scoreHistory(ctx context.Context, in *NoteInput) (*body[ScoreList], error) {
	scores, err := s.Notes.ScoreHistory(ctx, edge.Who(ctx).Project, in.ID)
	if err != nil {
		return nil, err
	}
	return reply(ScoreList{Items: scoreInfos(scores)})
}
