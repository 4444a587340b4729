package api

import (
	"context"
	"net/http"
	"time"

	"weir/internal/edge"
	"weir/internal/share"
	"weir/internal/span"
	"weir/internal/tenant"
)

// Shares makes and resolves links to single traces; share.Service is one.
type Shares interface {
	Create(ctx context.Context, p tenant.ProjectID, trace, author string, life time.Duration, bodies bool) (token string, made share.Share, err error)
	List(ctx context.Context, p tenant.ProjectID, trace string) ([]share.Share, error)
	Revoke(ctx context.Context, p tenant.ProjectID, id string) (share.Share, error)
	Open(ctx context.Context, token, ip string) (share.Share, error)
}

var _ Shares = (*share.Service)(nil)

// ShareInfo is a link to a trace. Its token is shown once, when it is made.
type ShareInfo struct {
	ID      string `json:"id"`
	Trace   string `json:"trace"`
	Bodies  bool   `json:"bodies" doc:"prompts and answers are shown"`
	Author  string `json:"author"`
	Created string `json:"created"`
	Expires string `json:"expires"`
}

// NewShare is a link that was just made.
type NewShare struct {
	ShareInfo
	Token string `json:"token" doc:"only here: it cannot be had again"`
	URL   string `json:"url"`
}

// ShareList is the links of a trace, or of the project, that still work.
type ShareList struct {
	Items []ShareInfo `json:"items" nullable:"false"`
}

func (s *Surface) sharing() {
	register(s, op{method: http.MethodPost, path: "/shares", id: "createShare", doc: "Make a link that shows one trace to whoever has it", status: http.StatusCreated}, s.createShare)
	register(s, op{method: http.MethodGet, path: "/shares", id: "listShares", doc: "Links that still work"}, s.listShares)
	register(s, op{method: http.MethodDelete, path: "/shares/{id}", id: "deleteShare", doc: "Take a link back", status: http.StatusNoContent}, s.deleteShare)
	s.shared()
}

type createShareInput struct {
	Body struct {
		Trace   string `json:"trace" minLength:"1" maxLength:"200"`
		Expires string `json:"expires" enum:"1h,1d,7d,30d" doc:"how long the link works"`
		Bodies  bool   `json:"bodies,omitempty" doc:"show prompts and answers"`
	}
}

func (s *Surface) createShare(ctx context.Context, in *createShareInput) (*body[NewShare], error) {
	who, err := mayNote(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.Query.Trace(ctx, who.Project, in.Body.Trace); err != nil {
		return nil, err
	}
	token, made, err := s.Shares.Create(ctx, who.Project, in.Body.Trace, signature(who), share.Lives[in.Body.Expires], in.Body.Bodies)
	if err != nil {
		return nil, err
	}
	s.noted(ctx, "share.create", made.ID, map[string]any{"trace": made.Trace, "expires": stamp(made.Expires), "bodies": made.Bodies})
	return reply(NewShare{ShareInfo: shareInfo(made), Token: token, URL: s.baseURL(answerOf(ctx).r) + "/ui/share/" + token})
}

func shareInfo(x share.Share) ShareInfo {
	return ShareInfo{ID: x.ID, Trace: x.Trace, Bodies: x.Bodies, Author: x.Author, Created: stamp(x.Created), Expires: stamp(x.Expires)}
}

type listSharesInput struct {
	Trace string `query:"trace" maxLength:"200"`
}

func (s *Surface) listShares(ctx context.Context, in *listSharesInput) (*body[ShareList], error) {
	shares, err := s.Shares.List(ctx, edge.Who(ctx).Project, in.Trace)
	if err != nil {
		return nil, err
	}
	out := ShareList{Items: make([]ShareInfo, len(shares))}
	for i, x := range shares {
		out.Items[i] = shareInfo(x)
	}
	return reply(out)
}

func (s *Surface) deleteShare(ctx context.Context, in *NoteInput) (*none, error) {
	who, err := mayNote(ctx)
	if err != nil {
		return nil, err
	}
	x, err := s.Shares.Revoke(ctx, who.Project, in.ID)
	if err != nil {
		return nil, err
	}
	s.noted(ctx, "share.revoke", x.ID, map[string]any{"trace": x.Trace})
	return nil, nil
}

// SharedInput names a shared trace by its token.
type SharedInput struct {
	Token string `path:"token" maxLength:"200"`
}

// SharedSpanInput names a span of a shared trace.
type SharedSpanInput struct {
	SharedInput
	Span string `path:"span" maxLength:"200"`
}

// SharedTraceInput asks for a shared trace.
type SharedTraceInput struct {
	SharedInput
	Limit int `query:"limit" minimum:"1" maximum:"2000" default:"2000" doc:"spans, the earliest"`
}

// SharedTreeInput asks for a page of a shared tree.
type SharedTreeInput struct {
	SharedInput
	Limit  int    `query:"limit" minimum:"1" maximum:"100000" default:"100000"`
	Cursor string `query:"cursor" maxLength:"20"`
}

// shared registers what anybody with a token may read: the routes of a trace, over a store that holds nothing else.
func (s *Surface) shared() {
	get := func(path, id, doc, media string) op {
		return op{method: http.MethodGet, path: "/share/{token}" + path, id: id, doc: doc, access: edge.Public, media: media}
	}
	register(s, get("", "getShared", "A shared trace", ""), onShared(s, SharedTraceInput.token, func(ctx context.Context, v *Surface, t TraceInput, in *SharedTraceInput) (*body[Trace], error) {
		return v.getTrace(ctx, &getTraceInput{TraceInput: t, Limit: in.Limit})
	}))
	register(s, get("/tree", "getSharedTree", "What a tree shows of a shared trace", ""), onShared(s, SharedTreeInput.token, func(ctx context.Context, v *Surface, t TraceInput, in *SharedTreeInput) (*body[Tree], error) {
		return v.getTree(ctx, &getTreeInput{TraceInput: t, Limit: in.Limit, Cursor: in.Cursor})
	}))
	register(s, get("/spans/{span}", "getSharedSpan", "A span of a shared trace", ""), onShared(s, SharedSpanInput.token, ofSpan((*Surface).span)))
	register(s, get("/spans/{span}/messages", "getSharedMessages", "The conversation of a shared span", ""), onShared(s, SharedSpanInput.token, ofSpan((*Surface).getMessages)))
	recorded := func(which func(*span.Span) span.Ref) func(*Surface, context.Context, *SpanInput) (*bytesOutput, error) {
		return func(v *Surface, ctx context.Context, in *SpanInput) (*bytesOutput, error) {
			out, err := v.recorded(which)(ctx, in)
			if err != nil {
				return nil, err
			}
			return &bytesOutput{ContentType: out.ContentType, Body: share.Body(out.Body)}, nil
		}
	}
	register(s, get("/spans/{span}/input", "getSharedInput", "The request body of a shared span", "application/json"),
		onShared(s, SharedSpanInput.token, ofSpan(recorded(func(sp *span.Span) span.Ref { return sp.Input }))))
	register(s, get("/spans/{span}/output", "getSharedOutput", "The response body of a shared span", "application/json"),
		onShared(s, SharedSpanInput.token, ofSpan(recorded(func(sp *span.Span) span.Ref { return sp.Output }))))
}

// ofSpan makes a handler of a shared span out of that of any span.
func ofSpan[O any](handle func(*Surface, context.Context, *SpanInput) (*O, error)) func(context.Context, *Surface, TraceInput, *SharedSpanInput) (*O, error) {
	return func(ctx context.Context, v *Surface, t TraceInput, in *SharedSpanInput) (*O, error) {
		return handle(v, ctx, &SpanInput{TraceInput: t, Span: in.Span})
	}
}

func (in SharedInput) token() string { return in.Token }

// onShared makes a public route of one over a share. The handler gets a surface that knows nothing but that trace, and
// acts as a viewer of its project.
func onShared[I, O any](s *Surface, token func(I) string, handle func(context.Context, *Surface, TraceInput, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		r := answerOf(ctx).r
		if s.CheckHost != nil {
			if err := s.CheckHost(r); err != nil {
				return nil, err
			}
		}
		head := answerOf(ctx).w.Header() // on errors as well
		head.Set("Cache-Control", "no-store")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("X-Robots-Tag", "noindex, nofollow")
		head.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
		x, err := s.Shares.Open(ctx, token(*in), s.clientIP(ctx))
		if err != nil {
			return nil, err
		}
		// Nothing else is in it: what a handler should not use here fails.
		v := &Surface{Deps: Deps{Query: s.Query.Over(func(st span.Store) span.Store { return share.View(st, x) }), Bodies: s.Bodies, Now: s.Now}}
		who := &tenant.Identity{Role: tenant.RoleViewer, Project: x.Project}
		return handle(edge.WithWho(ctx, who), v, TraceInput{Trace: x.Trace}, in)
	}
}
