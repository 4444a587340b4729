package api

import (
	"context"
	"net/http"
	"strings"

	"weir/internal/edge"
	"weir/internal/fault"
	"weir/internal/id"
	"weir/internal/span"
)

// CommentInfo is a remark on a span, a trace or a session.
type CommentInfo struct {
	ID      string `json:"id"`
	Trace   string `json:"trace"`
	Span    string `json:"span"`
	Session string `json:"session"`
	Author  string `json:"author"`
	Text    string `json:"text" doc:"Markdown"`
	Created string `json:"created"`
	Updated string `json:"updated"`
}

// CommentList is comments of a target, oldest first.
type CommentList struct {
	Items []CommentInfo `json:"items" nullable:"false"`
}

func (s *Surface) comments() {
	register(s, op{method: http.MethodGet, path: "/comments", id: "listComments", doc: "Comments on a trace with its spans, on a span, or on a session"}, s.listComments)
	register(s, op{method: http.MethodPost, path: "/comments", id: "createComment", doc: "Comment on a span, a trace or a session", status: http.StatusCreated}, s.createComment)
	register(s, op{method: http.MethodPatch, path: "/comments/{id}", id: "updateComment", doc: "Change a comment; for its author and administrators"}, s.updateComment)
	register(s, op{method: http.MethodDelete, path: "/comments/{id}", id: "deleteComment", doc: "Delete a comment; for its author and administrators", status: http.StatusNoContent}, s.deleteComment)
}

func (s *Surface) listComments(ctx context.Context, in *NoteTarget) (*body[CommentList], error) {
	t, err := in.target()
	if err != nil {
		return nil, err
	}
	comments, err := s.Notes.Comments(ctx, edge.Who(ctx).Project, t)
	if err != nil {
		return nil, err
	}
	out := CommentList{Items: make([]CommentInfo, len(comments))}
	for i, c := range comments {
		out.Items[i] = commentInfo(c)
	}
	return reply(out)
}

func commentInfo(c *span.Comment) CommentInfo {
	return CommentInfo{
		ID: c.ID, Trace: c.Target.Trace, Span: c.Target.Span, Session: c.Target.Session, Author: c.Author, Text: c.Text,
		Created: stamp(c.Created), Updated: stamp(c.Updated),
	}
}

type createCommentInput struct {
	Body struct {
		Trace   string `json:"trace,omitempty" maxLength:"200"`
		Span    string `json:"span,omitempty" maxLength:"200"`
		Session string `json:"session,omitempty" maxLength:"1000"`
		Text    string `json:"text" minLength:"1" maxLength:"20000"`
	}
}

func (s *Surface) createComment(ctx context.Context, in *createCommentInput) (*body[CommentInfo], error) {
	who, err := mayNote(ctx)
	if err != nil {
		return nil, err
	}
	now := s.Now().UTC()
	c := &span.Comment{
		Project: who.Project, ID: id.New(), Target: span.Target{Trace: in.Body.Trace, Span: in.Body.Span, Session: in.Body.Session},
		Author: signature(who), Text: in.Body.Text, Created: now, Updated: now,
	}
	if err := checkTarget(c.Target); err != nil {
		return nil, err
	}
	if err := checkComment(c.Text); err != nil {
		return nil, err
	}
	if err := s.Notes.PutComment(ctx, c); err != nil {
		return nil, err
	}
	return reply(commentInfo(c))
}

func checkComment(text string) error {
	if strings.TrimSpace(text) == "" {
		return fault.Bad("text", "text must not be empty")
	}
	return nil
}

type updateCommentInput struct {
	NoteInput
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"20000"`
	}
}

func (s *Surface) updateComment(ctx context.Context, in *updateCommentInput) (*body[CommentInfo], error) {
	c, err := s.ownComment(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := checkComment(in.Body.Text); err != nil {
		return nil, err
	}
	c.Text, c.Updated = in.Body.Text, s.Now().UTC()
	if err := s.Notes.PutComment(ctx, c); err != nil {
		return nil, err
	}
	return reply(commentInfo(c))
}

func (s *Surface) ownComment(ctx context.Context, id string) (*span.Comment, error) {
	if _, err := mayNote(ctx); err != nil {
		return nil, err
	}
	c, err := s.Notes.Comment(ctx, edge.Who(ctx).Project, id)
	if err != nil {
		return nil, err
	}
	return c, ownNote(ctx, c.Author)
}

func (s *Surface) deleteComment(ctx context.Context, in *NoteInput) (*none, error) {
	if _, err := s.ownComment(ctx, in.ID); err != nil {
		return nil, err
	}
	return nil, s.Notes.DeleteComment(ctx, edge.Who(ctx).Project, in.ID)
}
