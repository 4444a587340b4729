package api

import (
	"context"
	"net"
	"net/http"

	"weir/internal/auth"
	"weir/internal/edge"
	"weir/internal/tenant"
)

// Me is the caller.
type Me struct {
	Means    string        `json:"means" enum:"master,key,session,password,local"`
	Role     string        `json:"role" enum:"admin,member,viewer"`
	User     MeUser        `json:"user"`
	Project  ProjectInfo   `json:"project"`
	Projects []ProjectInfo `json:"projects" nullable:"false"`
	CSRF     string        `json:"csrf" doc:"to send as X-CSRF-Token with calls that change something; empty without a session"`
	Local    bool          `json:"local" doc:"let in for being on this machine, without a credential"`
	Version  string        `json:"version"`
	Demo     bool          `json:"demo"`
}

// MeUser is the user behind a caller; empty for keys without one.
type MeUser struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

// ProjectInfo names a project.
type ProjectInfo struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// loginOutput sets the session cookie.
type loginOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Me
}

func (s *Surface) access() {
	register(s, op{method: http.MethodPost, path: "/auth/login", id: "login", doc: "Start a session", access: edge.Public}, s.login)
	register(s, op{method: http.MethodPost, path: "/auth/exchange", id: "exchange", doc: "Start a session with a one-time login link", access: edge.Public}, s.exchange)
	register(s, op{method: http.MethodPost, path: "/auth/logout", id: "logout", doc: "End the session", status: http.StatusNoContent}, s.logout)
	register(s, op{method: http.MethodGet, path: "/me", id: "me", doc: "Who calls, and where they may act"}, s.me)
}

type loginInput struct {
	Body struct {
		Email    string `json:"email" minLength:"1" maxLength:"320" doc:"e-mail or user id"`
		Password string `json:"password" minLength:"1" maxLength:"1024"`
	}
}

func (s *Surface) login(ctx context.Context, in *loginInput) (*loginOutput, error) {
	token, who, err := s.Accounts.Login(ctx, in.Body.Email, in.Body.Password, s.clientIP(ctx))
	if err != nil {
		return nil, err
	}
	return s.started(ctx, token, who), nil
}

type exchangeInput struct {
	Body struct {
		Token string `json:"token" minLength:"1" maxLength:"200"`
	}
}

func (s *Surface) exchange(ctx context.Context, in *exchangeInput) (*loginOutput, error) {
	token, who, err := s.Accounts.Exchange(ctx, in.Body.Token)
	if err != nil {
		return nil, err
	}
	return s.started(ctx, token, who), nil
}

func (s *Surface) started(ctx context.Context, token string, who *tenant.Identity) *loginOutput {
	cookie := auth.Cookie(token, s.CookiePath, s.secure(answerOf(ctx).r))
	return &loginOutput{SetCookie: *cookie, Body: s.meOf(who, s.Accounts.CSRFOf(token))}
}

// secure reports whether the browser speaks TLS, to Weir or to the proxy that is its public address.
func (s *Surface) secure(r *http.Request) bool {
	return r.TLS != nil || len(s.PublicURL) > 8 && s.PublicURL[:8] == "https://"
}

func (s *Surface) clientIP(ctx context.Context) string {
	r := answerOf(ctx).r
	if s.ClientIP != nil {
		return s.ClientIP(r)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

type logoutOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (s *Surface) logout(ctx context.Context, _ *none) (*logoutOutput, error) {
	r := answerOf(ctx).r
	if err := s.Accounts.Logout(r); err != nil {
		return nil, err
	}
	return &logoutOutput{SetCookie: *auth.Cookie("", s.CookiePath, s.secure(r))}, nil
}

func (s *Surface) me(ctx context.Context, _ *none) (*body[Me], error) {
	return reply(s.meOf(edge.Who(ctx), s.Accounts.CSRF(answerOf(ctx).r)))
}

func (s *Surface) meOf(who *tenant.Identity, csrf string) Me {
	m := Me{
		Means: string(who.Means), Role: string(who.Role), User: MeUser{ID: string(who.User), Email: who.Email},
		Project: ProjectInfo{ID: string(who.Project), Name: string(who.Project)}, Projects: []ProjectInfo{}, CSRF: csrf,
		Local: who.Means == tenant.ByLocal, Version: s.Version, Demo: s.Demo,
	}
	if u, err := s.Accounts.User(who, who.User); who.User != "" && err == nil {
		m.User.Name = u.Name
	}
	for _, p := range s.Accounts.Projects(who) {
		info := ProjectInfo{ID: string(p.ID), Name: p.Name}
		m.Projects = append(m.Projects, info)
		if p.ID == who.Project {
			m.Project = info
		}
	}
	return m
}
