package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"weir/internal/auth"
	"weir/internal/gateway"
)

// banner tells on standard output where Weir is, and at the first start what is shown only then.
func (a *App) banner() {
	c, w := a.config.Load(), a.opts.Out
	base := a.publicURL()
	fmt.Fprintf(w, "Weir %s is ready on %s (%d ms)\n", Version(), base, time.Since(a.started).Milliseconds())
	fmt.Fprintf(w, "  data      %s\n", c.Data)
	if n := len(c.Models); n == 0 {
		fmt.Fprintln(w, "  models    none: set OPENAI_API_KEY, ANTHROPIC_API_KEY or AWS credentials, or give --config")
	} else {
		fmt.Fprintf(w, "  models    %s\n", modelNames(a.gateway.Table().Deployments()))
	}
	if c.Server.Local {
		fmt.Fprintln(w, "  local     callers on this machine need no credential; administration does:")
		if token, err := auth.CreateLoginLink(context.Background(), a.stores.rows, "", linkLife, time.Now().UTC()); err == nil {
			fmt.Fprintf(w, "            %s/ui/login?token=%s (once, %s)\n", base, token, linkLife)
		}
	}
	if f := a.first; f.admin.Created && f.admin.Password != "" {
		fmt.Fprintf(w, "\nShown only at this first start:\n  admin     %s  password %s\n", f.admin.Email, f.admin.Password)
	}
	if k := a.first.masterKey; k != "" {
		fmt.Fprintf(w, "  key       %s  (master key, kept in %s/master.key)\n", k, c.Data)
	}
	if a.first.admin.Created || a.first.masterKey != "" {
		a.snippets(base)
	}
}

// snippets are for a first call.
func (a *App) snippets(base string) {
	model := "openai/gpt-4o-mini"
	if groups := a.gateway.Table().Groups(); len(groups) > 0 {
		model = groups[0]
	}
	fmt.Fprintf(a.opts.Out, `
Try it:
  curl %s/v1/chat/completions -H "Authorization: Bearer $WEIR_KEY" -H 'Content-Type: application/json' \
    -d '{"model":"%s","messages":[{"role":"user","content":"hello"}]}'
  Cline         provider LiteLLM, base URL %s, API key $WEIR_KEY
  Claude Code   ANTHROPIC_BASE_URL=%s ANTHROPIC_AUTH_TOKEN=$WEIR_KEY claude
  Interface     %s/ui/
`, base, model, base, base, base)
}

func (a *App) publicURL() string {
	if c := a.config.Load(); c.Server.PublicURL != "" {
		return baseURL(c)
	}
	return a.server.url() + strings.TrimRight(a.config.Load().Server.BasePath, "/")
}

// modelNames lists what can be called, shortened.
func modelNames(ds []*gateway.Deployment) string {
	var names []string
	for _, d := range ds {
		if !slices.Contains(names, d.Group) {
			names = append(names, d.Group)
		}
	}
	const most = 8
	if n := len(names) - most; n > 0 {
		return strings.Join(names[:most], "  ") + fmt.Sprintf("  and %d more", n)
	}
	return strings.Join(names, "  ")
}
