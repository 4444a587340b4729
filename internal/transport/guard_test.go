package transport

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"weir/internal/fault"
)

func TestGuardedRefusesPrivateAddresses(t *testing.T) {
	hits := 0
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits++ }))
	defer srv.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(srv.URL, "http://"), ":")
	for _, c := range []struct {
		host    string
		allowed []netip.Prefix
		ok      bool
	}{
		{"127.0.0.1", nil, false},
		{"localhost", nil, false},
		{"[::ffff:127.0.0.1]", nil, false},
		{"0.0.0.0", nil, false},
		{"169.254.169.254", nil, false},
		{"127.0.0.1", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, false},
		{"127.0.0.1", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, true},
	} {
		client, err := Guarded(Config{NoProxy: "*"}, c.allowed)
		if err != nil {
			t.Fatal(err)
		}
		hits = 0
		res, err := client.Get("http://" + c.host + ":" + port)
		if c.ok != (err == nil) || (hits > 0) != c.ok {
			t.Errorf("%s allowed %v: %v, %d hits", c.host, c.allowed, err, hits)
		}
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v is %q", c.host, err, fault.KindOf(err))
		}
		if res != nil {
			_ = res.Body.Close()
		}
		client.CloseIdleConnections()
	}
}

func TestPrivate(t *testing.T) {
	for ip, want := range map[string]bool{
		"8.8.8.8": false, "2606:4700::1": false, "10.1.2.3": true, "172.16.0.1": true, "192.168.1.1": true, "100.64.0.1": true, "fd00::1": true, "fe80::1": true,
		"::1": true, "::": true, "64:ff9b::a00:1": true, "::7f00:1": true, "224.0.0.1": true, "255.255.255.255": true, "1.1.1.1": false, "2002:7f00:1::": true,
	} {
		if got := private(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s private = %v", ip, got)
		}
	}
}

// The proxy itself may be private; what it is asked for may not.
func TestGuardedThroughAProxy(t *testing.T) {
	asked := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = r.URL.String() }))
	defer proxy.Close()
	client, err := Guarded(Config{HTTPProxy: proxy.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	res, err := client.Get("http://192.0.2.7/hook")
	if err != nil || asked != "http://192.0.2.7/hook" {
		t.Fatalf("%v, proxy asked for %q", err, asked)
	}
	_ = res.Body.Close()
	if _, err := client.Get("http://10.0.0.1/hook"); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}
