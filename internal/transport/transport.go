// Package transport builds HTTP clients: the one tuned client that all upstreams share, with proxy, private CAs, timeouts
// for everything before the first byte, and pools wide enough for many parallel streams to one host; and a guarded one
// for URLs that users supply, which keeps out of private networks.
package transport

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// Config says how upstreams are reached. The zero value takes the proxy from the environment and trusts the system's
// CAs (crypto/x509 itself honours SSL_CERT_FILE and SSL_CERT_DIR).
type Config struct {
	HTTPProxy  string // "" = HTTP_PROXY
	HTTPSProxy string // "" = HTTPS_PROXY
	NoProxy    string // "" = NO_PROXY; same syntax
	// CAFiles are PEM files trusted beside the system's CAs, and beside AWS_CA_BUNDLE, which AWS tools honour.
	CAFiles []string
	// DialTimeout bounds name lookup and connect, TLSTimeout the handshake; 0 = 10 s each.
	DialTimeout time.Duration
	TLSTimeout  time.Duration
	// IdleTimeout is how long an unused connection is kept; 0 = 90 s.
	IdleTimeout time.Duration
}

const (
	maxIdlePerHost = 1024
	bufferSize     = 32 << 10
	maxHeader      = 256 << 10
)

// New returns a client without an overall timeout, since streams may run for long: the caller's context is the
// deadline. Redirects are answered as they came, never followed, so that credentials stay with the configured host.
func New(c Config) (*http.Client, error) {
	roots, err := c.Roots()
	if err != nil {
		return nil, err
	}
	proxy, err := c.proxy()
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: cmp.Or(c.DialTimeout, 10*time.Second), KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy:                  proxy,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    cmp.Or(c.TLSTimeout, 10*time.Second),
		IdleConnTimeout:        cmp.Or(c.IdleTimeout, 90*time.Second),
		ExpectContinueTimeout:  time.Second,
		MaxIdleConns:           4 * maxIdlePerHost,
		MaxIdleConnsPerHost:    maxIdlePerHost,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // answers are passed on as they came
		ForceAttemptHTTP2:      true,
		ReadBufferSize:         bufferSize,
		WriteBufferSize:        bufferSize,
	}
	d := &direct{Transport: t, dial: dialer.DialContext, idle: idleConns{keep: t.IdleConnTimeout}}
	return &http.Client{Transport: d, CheckRedirect: stay}, nil
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Roots is nil, meaning the system's own, unless files are configured. A configured file that holds no certificate is
// an error: silently trusting less than asked would only show as failed handshakes.
func (c Config) Roots() (*x509.CertPool, error) {
	bundle, _ := os.ReadFile(os.Getenv("AWS_CA_BUNDLE")) // a stale variable must not stop those who call no AWS
	if len(c.CAFiles) == 0 && len(bundle) == 0 {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(bundle)
	for _, name := range c.CAFiles {
		pem, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read CA file: %w", err)
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("CA file %s holds no PEM certificate", name)
		}
	}
	return pool, nil
}

// proxy reads the environment now rather than through http.ProxyFromEnvironment, which remembers its first look for
// the life of the process and cannot be overridden by configuration.
func (c Config) proxy() (func(*http.Request) (*url.URL, error), error) {
	p := httpproxy.FromEnvironment()
	p.HTTPProxy, p.HTTPSProxy = cmp.Or(c.HTTPProxy, p.HTTPProxy), cmp.Or(c.HTTPSProxy, p.HTTPSProxy)
	p.NoProxy = cmp.Or(c.NoProxy, p.NoProxy)
	for _, s := range []string{c.HTTPProxy, c.HTTPSProxy} {
		if u, err := url.Parse(s); s != "" && (err != nil || u.Host == "") {
			return nil, fmt.Errorf("proxy must be a URL such as http://proxy.example.com:3128")
		}
	}
	f := p.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) {
		// Link-local addresses (instance and container metadata) mean this machine; a proxy's would be another's.
		if ip, err := netip.ParseAddr(r.URL.Hostname()); err == nil && ip.IsLinkLocalUnicast() {
			return nil, nil
		}
		return f(r.URL)
	}, nil
}
