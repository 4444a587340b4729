package ui

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, base, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler(base).ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPageBaseFollowsDepth(t *testing.T) {
	for path, want := range map[string]string{
		"/ui/":                    "./",
		"/ui/traces":              "./",
		"/ui/traces/abc":          "../",
		"/ui/sessions/a%2Fb":      "../", // one segment
		"/ui/login?token=x&y=/ui": "./",
		"/traces/abc":             "../", // prefix already stripped
	} {
		r := get(t, "/ui/", path)
		if r.StatusCode != http.StatusOK || !strings.Contains(body(t, r), `<base href="`+want+`"`) {
			t.Errorf("%s: status %d, want base %q", path, r.StatusCode, want)
		}
	}
}

func TestPolicyNonceIsInPageAndFresh(t *testing.T) {
	nonce := func() string {
		r := get(t, "/ui/", "/ui/")
		m := regexp.MustCompile(`'nonce-([\w-]{20,})'`).FindStringSubmatch(r.Header.Get("Content-Security-Policy"))
		if m == nil {
			t.Fatalf("no nonce in policy %q", r.Header.Get("Content-Security-Policy"))
		}
		if !strings.Contains(body(t, r), `nonce="`+m[1]+`"`) {
			t.Fatal("the page does not carry the policy's nonce")
		}
		return m[1]
	}
	if nonce() == nonce() {
		t.Error("two answers share a nonce")
	}
}

func TestPageHasNoInlineScript(t *testing.T) {
	page := body(t, get(t, "/ui/", "/ui/"))
	if m := regexp.MustCompile(`<script(?:[^>]*)>[^<]`).FindString(page); m != "" {
		t.Errorf("inline script %q would be refused by the policy", m)
	}
}

func TestAssets(t *testing.T) {
	page := body(t, get(t, "/ui/", "/ui/"))
	m := regexp.MustCompile(`src="\./(assets/[^"]+\.js)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page has no script")
	}
	plain := get(t, "/ui/", "/ui/"+m[1])
	want := body(t, plain)
	if plain.Header.Get("Content-Encoding") != "" || !strings.Contains(plain.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("headers of a hashed file: %v", plain.Header)
	}
	zipped := get(t, "/ui/", "/ui/"+m[1], "Accept-Encoding", "br, gzip")
	z, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(z); string(got) != want {
		t.Error("gzip answer differs from the file")
	}
	if r := get(t, "/ui/", "/ui/assets/none-12345678.js"); r.StatusCode != http.StatusNotFound {
		t.Errorf("missing asset: %d, want 404, or an old page would run HTML as script", r.StatusCode)
	}
}

func TestMissingSlashRedirectsRelatively(t *testing.T) {
	r := get(t, "/weir/ui/", "/weir/ui?token=a")
	if got := r.Header.Get("Location"); r.StatusCode != http.StatusFound || got != "ui/?token=a" {
		t.Errorf("status %d, Location %q", r.StatusCode, got)
	}
}

func TestOnlyReads(t *testing.T) {
	w := httptest.NewRecorder()
	Handler("/ui/").ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/ui/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}
