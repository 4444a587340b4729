// Package ui serves the web interface: the built files under dist, which are committed so that a clone runs with Go
// alone. Its pages find themselves and the API relative to <base href>, so they work under any path.
package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// placeholders in index.html; a test holds them against the built page.
const (
	basePlaceholder  = `<base href="./"`
	noncePlaceholder = `nonce=""`
)

// Handler serves the interface to requests whose path begins with basePath (as "/ui/"); that prefix may have been
// stripped already. Paths that name no file are routes of the app and get its page. The base in that page is relative
// ("../"), by the depth of the path, so a proxy in front may add any prefix without telling. GET and HEAD only.
func Handler(basePath string) http.Handler {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return newHandler(basePath, files)
}

func newHandler(basePath string, files fs.FS) *handler {
	return &handler{base: "/" + strings.Trim(basePath, "/"), files: files, zipped: map[string][]byte{}}
}

type handler struct {
	base  string // without a trailing slash, "/" for the root
	files fs.FS

	mu     sync.Mutex
	zipped map[string][]byte // by file name; bounded by the number of files
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == h.base && h.base != "/" {
		redirectBelow(w, r, path.Base(h.base))
		return
	}
	// Escaped, since an id may hold a slash, and the browser resolves the base against what it sent.
	name := strings.TrimPrefix(strings.TrimPrefix(r.URL.EscapedPath(), strings.TrimSuffix(h.base, "/")), "/")
	if file(name) {
		h.serveFile(w, r, name)
		return
	}
	h.servePage(w, r, name)
}

// redirectBelow adds the missing slash. The target is relative, since the path a proxy shows is not known here.
func redirectBelow(w http.ResponseWriter, r *http.Request, last string) {
	to := last + "/"
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusFound)
}

// file tells files from the app's routes: only these exist besides the page.
func file(name string) bool {
	return strings.HasPrefix(name, "assets/") || name == "icon.svg"
}

func (h *handler) serveFile(w http.ResponseWriter, r *http.Request, name string) {
	data, err := fs.ReadFile(h.files, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	head := w.Header()
	head.Set("Content-Type", contentType(name))
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") { // their names carry a hash of their content
		head.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if compressible(name) {
		head.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			data = h.gzipped(name, data)
			head.Set("Content-Encoding", "gzip")
		}
	}
	write(w, r, data)
}

func (h *handler) servePage(w http.ResponseWriter, r *http.Request, route string) {
	page, err := fs.ReadFile(h.files, "index.html")
	if err != nil {
		http.Error(w, "the interface is not part of this build", http.StatusNotFound)
		return
	}
	nonce := newNonce()
	page = bytes.Replace(page, []byte(basePlaceholder), fmt.Appendf(nil, `<base href="%s"`, up(route)), 1)
	page = bytes.Replace(page, []byte(noncePlaceholder), fmt.Appendf(nil, `nonce="%s"`, nonce), 1)
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Cache-Control", "no-store") // the nonce is for one answer
	head.Set("Content-Security-Policy", policy(nonce))
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "same-origin")
	write(w, r, page)
}

// up is the way from a route back to the app's root.
func up(route string) string {
	if n := strings.Count(route, "/"); n > 0 {
		return strings.Repeat("../", n)
	}
	return "./"
}

// policy lets the page load only from here. Images may be inline, since recorded prompts hold them; remote ones are
// never loaded. Styles that libraries insert carry the nonce.
func policy(nonce string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + nonce + "'; img-src 'self' data: blob:; " +
		"font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
}

func newNonce() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, by its contract
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (h *handler) gzipped(name string, data []byte) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	if z, ok := h.zipped[name]; ok {
		return z
	}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
	_, _ = z.Write(data)                                  // a buffer takes everything
	_ = z.Close()
	h.zipped[name] = b.Bytes()
	return b.Bytes()
}

func write(w http.ResponseWriter, r *http.Request, data []byte) {
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(data) // the client may be gone
	}
}

func acceptsGzip(r *http.Request) bool {
	for enc := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(enc), ";")
		if name == "gzip" && strings.TrimSpace(q) != "q=0" {
			return true
		}
	}
	return false
}

func compressible(name string) bool {
	switch path.Ext(name) {
	case ".js", ".css", ".svg", ".json":
		return true
	}
	return false
}

// contentType does not ask the machine's own table, which may be wrong or missing.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}
