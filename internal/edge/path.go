package edge

import (
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
)

func stack() string { return string(debug.Stack()) }

// Normalize prepares request paths for the mux: the base path is taken off, doubled slashes are collapsed without a
// redirect (clients join "…/v1/" and "/chat" and do not follow), and everything stays escaped so that a model id with
// an encoded slash is one segment.
func Normalize(basePath string, next http.Handler) http.Handler {
	base := strings.TrimRight(basePath, "/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		clean := collapse(path)
		if rest, ok := strings.CutPrefix(clean, base); ok && base != "" && (rest == "" || rest[0] == '/') {
			clean = rest
		}
		if clean == "" {
			clean = "/"
		}
		if clean != path {
			r2 := *r
			u := *r.URL
			if !setEscapedPath(&u.Path, &u.RawPath, clean) {
				http.Error(w, "malformed path", http.StatusBadRequest)
				return
			}
			r2.URL = &u
			r = &r2
		}
		next.ServeHTTP(w, r)
	})
}

func collapse(p string) string {
	for strings.Contains(p, "//") {
		p = strings.ReplaceAll(p, "//", "/")
	}
	return p
}

// ClientIP is the address of the client: the peer, or, when the peer is a trusted proxy, the last address in
// X-Forwarded-For that is not one.
func ClientIP(r *http.Request, trusted []netip.Prefix) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	ip := peer.Addr().Unmap()
	if !within(ip, trusted) {
		return ip.String()
	}
	// All lines count: some proxies add one of their own below the client's.
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		ip = hop.Unmap()
		if !within(ip, trusted) {
			break
		}
	}
	return ip.String()
}

func within(ip netip.Addr, nets []netip.Prefix) bool {
	for _, n := range nets {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

// setEscapedPath sets both forms of a URL's path from the escaped one.
func setEscapedPath(path, raw *string, escaped string) bool {
	p, err := url.PathUnescape(escaped)
	if err != nil {
		return false
	}
	*path, *raw = p, ""
	if p != escaped {
		*raw = escaped
	}
	return true
}
