package transport

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func get(t *testing.T, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res, string(b)
}

func TestPrivateCAIsTrustedOnlyWhenConfigured(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hi") }))
	defer srv.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	plain, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if res, err := plain.Get(srv.URL); err == nil {
		res.Body.Close()
		t.Fatal("unknown CA was trusted")
	}
	trusting, err := New(Config{CAFiles: []string{ca}})
	if err != nil {
		t.Fatal(err)
	}
	if _, body := get(t, trusting, srv.URL); body != "hi" {
		t.Fatalf("body %q", body)
	}
}

func TestBadCAFile(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{empty, filepath.Join(t.TempDir(), "missing.pem")} {
		if _, err := New(Config{CAFiles: []string{name}}); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}

func TestProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "proxied "+r.URL.String())
	}))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"} {
		t.Setenv(name, "")
	}
	t.Run("configured", func(t *testing.T) {
		c, err := New(Config{HTTPProxy: proxy.URL, NoProxy: "direct.example.com"})
		if err != nil {
			t.Fatal(err)
		}
		if _, body := get(t, c, "http://api.example.com/v1"); body != "proxied http://api.example.com/v1" {
			t.Fatalf("body %q", body)
		}
		for _, url := range []string{"http://direct.example.com/", "http://169.254.169.254/latest/meta-data/"} {
			asked := httptest.NewRequest(http.MethodGet, url, nil)
			if u, err := c.Transport.(*direct).Proxy(asked); u != nil || err != nil {
				t.Errorf("%s goes through %v (%v)", url, u, err)
			}
		}
	})
	t.Run("environment", func(t *testing.T) {
		t.Setenv("HTTP_PROXY", proxy.URL)
		c, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		if _, body := get(t, c, "http://api.example.com/"); !strings.HasPrefix(body, "proxied") {
			t.Fatalf("body %q", body)
		}
	})
	if _, err := New(Config{HTTPSProxy: "not a url"}); err == nil {
		t.Error("bad proxy accepted")
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	srv := httptest.NewServer(http.RedirectHandler("http://elsewhere.example.com/", http.StatusTemporaryRedirect))
	defer srv.Close()
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if res, _ := get(t, c, srv.URL); res.StatusCode != http.StatusTemporaryRedirect {
		t.Fatalf("status %d", res.StatusCode)
	}
}
