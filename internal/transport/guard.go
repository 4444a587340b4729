package transport

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"

	"weir/internal/fault"
)

// Guarded is New for URLs that users supply: it connects to public addresses, and to those in allowed networks, and
// refuses others with fault.Invalid. Names are judged by the address that is connected to. A configured proxy is trusted
// to be one, but is not asked for private addresses either.
func Guarded(c Config, allowed []netip.Prefix) (*http.Client, error) {
	roots, err := c.Roots()
	if err != nil {
		return nil, err
	}
	proxy, err := c.proxy()
	if err != nil {
		return nil, err
	}
	g := &guard{allowed: allowed}
	plain := &net.Dialer{Timeout: cmp.Or(c.DialTimeout, 10*time.Second)}
	guarded := &net.Dialer{Timeout: plain.Timeout, Control: g.control}
	t := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if _, known := g.proxies.Load(addr); known {
				return plain.DialContext(ctx, network, addr)
			}
			return guarded.DialContext(ctx, network, addr)
		},
		Proxy: func(r *http.Request) (*url.URL, error) {
			u, err := proxy(r)
			if u == nil || err != nil {
				return u, err
			}
			g.proxies.Store(address(u), true)
			return u, g.resolve(r.Context(), r.URL.Hostname())
		},
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: cmp.Or(c.TLSTimeout, 10*time.Second),
		IdleConnTimeout: cmp.Or(c.IdleTimeout, 90*time.Second), MaxIdleConns: 64, MaxIdleConnsPerHost: 4, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
	}
	return &http.Client{Transport: t, CheckRedirect: stay}, nil
}

type guard struct {
	allowed []netip.Prefix
	proxies sync.Map // address of a proxy in use
}

// address is what a transport dials to reach a proxy.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// control sees the address after the name was looked up.
func (g *guard) control(_, addr string, _ syscall.RawConn) error {
	ip, err := netip.ParseAddrPort(addr)
	if err != nil {
		return err
	}
	return g.admit(ip.Addr())
}

// resolve judges a host that a proxy will look up, as far as this machine knows it.
func (g *guard) resolve(ctx context.Context, host string) error {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil //nolint:nilerr // only the proxy knows the name
	}
	for _, ip := range ips {
		if err := g.admit(ip); err != nil {
			return err
		}
	}
	return nil
}

func (g *guard) admit(ip netip.Addr) error {
	ip = ip.Unmap().WithZone("")
	for _, p := range g.allowed {
		if p.Contains(ip) {
			return nil
		}
	}
	if private(ip) {
		return fault.New(fault.Invalid, "the address %s is not public; the setting network.private_targets can allow it", ip)
	}
	return nil
}

// special are networks that no public server is in, or that lead into others, beside those that netip knows.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("::/96"),
}

func private(ip netip.Addr) bool {
	if ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return true
	}
	for _, p := range special {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
