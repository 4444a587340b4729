package span

import (
	"context"
	"time"

	"weir/internal/jsonx"
	"weir/internal/tenant"
)

// ScoreType is what values a score takes.
type ScoreType string

const (
	Numeric     ScoreType = "numeric"
	Categorical ScoreType = "categorical"
	Boolean     ScoreType = "boolean" // Value is 0 or 1
	FreeText    ScoreType = "text"
)

// ScoreSource is who gave a score.
type ScoreSource string

const (
	ByHuman ScoreSource = "human"
	ByAPI   ScoreSource = "api"
	ByJudge ScoreSource = "judge"
)

// Target is what a note is about: a span, a trace (Span is ""), or a session (Trace is "").
type Target struct {
	Trace   string `json:"trace,omitempty"`
	Span    string `json:"span,omitempty"`
	Session string `json:"session,omitempty"`
}

// Score is a judgement of a span, a trace or a session. A score of the same target, name, source and author replaces
// the earlier one; what it was before is kept as history.
type Score struct {
	Project  tenant.ProjectID `json:"project"`
	ID       string           `json:"id"`
	Target   Target           `json:"target"`
	Name     string           `json:"name"`
	Type     ScoreType        `json:"type"`
	Value    float64          `json:"value"`          // of numeric and boolean scores
	Text     string           `json:"text,omitempty"` // of categorical and text scores
	Source   ScoreSource      `json:"source"`
	Author   string           `json:"author,omitempty"`
	Comment  string           `json:"comment,omitempty"` // why
	Metadata jsonx.Raw        `json:"metadata,omitempty"`
	Created  time.Time        `json:"created"`
	Updated  time.Time        `json:"updated"`
	Deleted  bool             `json:"deleted,omitempty"` // only in histories
}

// Comment is a remark on a span, a trace or a session.
type Comment struct {
	Project tenant.ProjectID `json:"project"`
	ID      string           `json:"id"`
	Target  Target           `json:"target"`
	Author  string           `json:"author"`
	Text    string           `json:"text"` // Markdown
	Created time.Time        `json:"created"`
	Updated time.Time        `json:"updated"`
}

// ScoreName is a name that scores have.
type ScoreName struct {
	Name       string
	Type       ScoreType // of the newest
	Count      int
	Categories []string // of categorical scores, at most 50
}

// Mark is the latest value of a score on its span, for filters and lists. Text is also set for numeric and boolean ones
// ("0.5", "true").
type Mark struct {
	Name  string  `json:"name"`
	Value float64 `json:"value,omitempty"`
	Text  string  `json:"text"`
}

// Notes keeps scores and comments beside the spans they are about, and goes with them. All writes survive power loss
// when they return. Targets need not exist yet: a score may arrive before its span.
type Notes interface {
	// PutScore stores a score under its ID, keeping what it replaces as history, and brings the marks of its span (of a
	// trace: of its root) up to date. Without an ID it takes that of the target's score with the same name, source and
	// author, or a new one; Created and Updated are set where they are zero. An ID that names a score of another target
	// is fault.Conflict.
	PutScore(ctx context.Context, s *Score) error
	Score(ctx context.Context, p tenant.ProjectID, id string) (*Score, error)
	DeleteScore(ctx context.Context, p tenant.ProjectID, id string) error
	// Scores returns those of a target, by name; for a trace also those of its spans.
	Scores(ctx context.Context, p tenant.ProjectID, t Target) ([]*Score, error)
	// ScoreHistory returns all versions of a score, the newest first, deletions included.
	ScoreHistory(ctx context.Context, p tenant.ProjectID, id string) ([]*Score, error)
	// ScoreNames sums up the scores of a project, those of recent days first, as far as it gets in a bounded time.
	ScoreNames(ctx context.Context, p tenant.ProjectID) ([]ScoreName, error)
	PutComment(ctx context.Context, c *Comment) error
	Comment(ctx context.Context, p tenant.ProjectID, id string) (*Comment, error)
	DeleteComment(ctx context.Context, p tenant.ProjectID, id string) error
	// Comments returns those of a target in order of creation; for a trace also those of its spans.
	Comments(ctx context.Context, p tenant.ProjectID, t Target) ([]*Comment, error)
}
