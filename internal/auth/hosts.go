package auth

import (
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"weir/internal/clip"
	"weir/internal/fault"
)

// Hosts are the names this server is called by. A browser that calls it by another name has been led here by DNS
// rebinding. Calls with an explicit key prove their intent and are not looked at.
type Hosts struct{ names map[string]bool }

// NewHosts allows loopback names, the hosts of listen addresses, the host of the public URL, and further names
// ("*" allows all). Ports do not matter.
func NewHosts(listen []string, publicURL string, allowed []string) *Hosts {
	h := &Hosts{names: map[string]bool{"localhost": true}}
	for _, a := range listen {
		if ip, err := netip.ParseAddr(hostname(a)); err != nil || !ip.IsUnspecified() {
			h.add(a)
		}
	}
	if u, err := url.Parse(publicURL); err == nil {
		h.add(u.Host)
	}
	for _, a := range allowed {
		h.add(a)
	}
	return h
}

func (h *Hosts) add(host string) {
	if n := hostname(host); n != "" {
		h.names[n] = true
	}
}

// Allows reports whether host, with or without a port, is a name of this server.
func (h *Hosts) Allows(host string) bool {
	n := hostname(host)
	if isLoopback(n) {
		return true
	}
	return h.names[n] || h.names["*"] || strings.HasSuffix(n, ".localhost")
}

// named is h without "*": behind any name there may be a page that DNS rebinding has led here.
func (h *Hosts) named() *Hosts {
	n := &Hosts{names: maps.Clone(h.names)}
	delete(n.names, "*")
	return n
}

// allowsBrowser also allows bare addresses: rebinding needs a name.
func (h *Hosts) allowsBrowser(host string) bool {
	if _, err := netip.ParseAddr(hostname(host)); err == nil {
		return true
	}
	return h.Allows(host)
}

// CheckHost refuses a browser's request under a foreign name.
func (h *Hosts) CheckHost(r *http.Request) error {
	if h.allowsBrowser(r.Host) {
		return nil
	}
	return fault.New(fault.Forbidden, "this server is not called %q; start it with --allowed-hosts or --public-url to add the name", clip.To(hostname(r.Host), 100))
}

// Guard puts CheckHost before pages meant for browsers.
func (h *Hosts) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h.CheckHost(r); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checkOrigin refuses requests that a page of another site made a browser send.
func (h *Hosts) checkOrigin(r *http.Request) error {
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" {
		return fault.New(fault.Forbidden, "cross-site request refused")
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || (!strings.EqualFold(u.Host, r.Host) && !h.Allows(u.Host)) {
		return fault.New(fault.Forbidden, "request from a foreign origin refused")
	}
	return nil
}

// hostname is host without port and brackets, in lower case.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}
