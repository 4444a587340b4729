package llm

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestWhyUnreachable(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	secure.Config.ErrorLog = nil
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	ours := x509.NewCertPool()
	ours.AddCert(secure.Certificate())
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ours, ServerName: "elsewhere.test"}}}
	for name, c := range map[string]struct {
		client *http.Client
		url    string
		says   string
	}{
		"unknown authority": {&http.Client{Transport: &http.Transport{}}, secure.URL, "unknown authority"},
		"another name":      {trusting, secure.URL, "another name"},
		"no TLS":            {trusting, "https://" + plain.Listener.Addr().String(), "does not speak TLS"},
		"refused":           {trusting, "http://" + closed.Addr().String(), "connection refused"},
	} {
		_, err := c.client.Get(c.url)
		why := WhyUnreachable(err)
		if !strings.Contains(why, c.says) || strings.Contains(why, "127.0.0.1") {
			t.Errorf("%s: %q of %v", name, why, err)
		}
	}
	if WhyUnreachable(nil) != "" {
		t.Error("no error has a reason")
	}
	if why := WhyUnreachable(&net.DNSError{Err: "no such host", Name: "secret.test"}); !strings.Contains(why, "resolved") || strings.Contains(why, "secret") {
		t.Error(why)
	}
}

func TestErrorWithoutStatus(t *testing.T) {
	if got := (&Error{Provider: "openai", Message: "cut"}).Error(); got != "openai: cut" {
		t.Error(got)
	}
	if got := (&Error{Provider: "openai", Status: 429, Message: "slow"}).Error(); got != "openai: 429 slow" {
		t.Error(got)
	}
}
