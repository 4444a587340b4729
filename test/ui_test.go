package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/test/harness"
)

// demo is a Weir that has played its hour of traffic.
func demo(t *testing.T) *harness.Stack {
	t.Helper()
	s := harness.Up(t, harness.Options{NoModels: true, Flags: []string{"--demo"}})
	last := -1
	harness.Poll(t, 90*time.Second, "the demo's traffic", func() error {
		var got struct {
			Count   int  `json:"count"`
			Partial bool `json:"partial"`
		}
		s.Get(t, "/api/v1/traces/count", &got)
		if got.Partial || got.Count < 50 || !strings.Contains(s.Log(), "demo") && got.Count != last {
			last = got.Count
			return fmt.Errorf("%d calls so far", got.Count)
		}
		return nil
	})
	return s
}

// browse runs a script of ui/e2e in Chromium against a URL.
func browse(t *testing.T, base, script string, env []string, args ...string) string {
	t.Helper()
	ui := filepath.Join(harness.Root(t), "..", "ui")
	if _, err := os.Stat(filepath.Join(ui, "node_modules", "playwright-core")); err != nil {
		t.Fatalf("packages of the interface are missing; run test/setup.sh: %v", err)
	}
	all := append(harness.Offline(os.Environ()), "HOME="+t.TempDir(), "WEIR_URL="+base, "WEIR_LOGIN=admin@example.com:a-long-test-password")
	p := harness.Start(t, harness.Command{
		Name: script, Args: append([]string{"node", filepath.Join("e2e", script)}, args...), Dir: ui, Env: append(all, env...),
	})
	if err := p.Wait(15 * time.Minute); err != nil {
		t.Fatalf("%v\n%s", err, p.Out.Tail(8000))
	}
	return p.Out.String()
}

const clean = "all pages are clean"

// TestInterface visits each page of the demo in Chromium: both themes, both languages, wide and narrow, no console error,
// axe clean, keyboard and charts.
func TestInterface(t *testing.T) {
	s := demo(t)
	t.Run("pages", func(t *testing.T) {
		if out := browse(t, s.URL, "check.mjs", nil); !strings.Contains(out, clean) {
			t.Error(out)
		}
	})
	t.Run("behind a path", func(t *testing.T) {
		const prefix = "/proxy/4000" // as code-server's port forwarding has it
		front := underPrefix(t, s.URL, prefix)
		if out := browse(t, front, "check.mjs", []string{"WEIR_PREFIX=" + prefix, "WEIR_LOOKS=1"}); !strings.Contains(out, clean) {
			t.Error(out)
		}
	})
	t.Run("screens", func(t *testing.T) {
		dir := filepath.Join(harness.Root(t), ".work", "screens")
		browse(t, s.URL, "shots.mjs", nil, dir, "home,traces,session,keys,models", "light,dark,narrow,ja")
		if shots, _ := filepath.Glob(filepath.Join(dir, "*.png")); len(shots) < 20 {
			t.Errorf("%d screenshots below %s, expected 20", len(shots), dir)
		}
	})
}

// underPrefix is a proxy that serves base below a prefix, which it takes away, and at the root.
func underPrefix(t *testing.T, base, prefix string) string {
	t.Helper()
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, FlushInterval: -1}
	mux := http.NewServeMux()
	mux.Handle(prefix+"/", http.StripPrefix(prefix, proxy))
	mux.Handle("/", proxy)
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	return front.URL
}
