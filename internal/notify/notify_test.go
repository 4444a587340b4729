package notify

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"weir/internal/alert"
	"weir/internal/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var message = alert.Message{
	Alert: "a1", Name: "errors <b> & co", Project: "p", State: "firing", Measure: "error_rate", Value: new(0.2), Op: ">", Threshold: 0.1, Window: "5m",
	Group: "gpt", Filter: "model = `x`", URL: "https://weir.example.com/ui/traces?q=a&from=b", Time: "2026-03-01T12:00:00.000Z", Text: "errors <b> & co is firing",
}

// hook is a server that answers as told and keeps what it got.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	body   []byte
	header http.Header
}

func newHook(t *testing.T) *hook {
	h := &hook{status: 200}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.body, _ = io.ReadAll(r.Body)
		h.header = r.Header
		w.WriteHeader(h.status)
		_, _ = w.Write([]byte("said so"))
	}))
	t.Cleanup(h.Close)
	return h
}

func TestWebhookIsSigned(t *testing.T) {
	h := newHook(t)
	s := New(h.Client(), Mail{})
	err := s.Send(t.Context(), alert.Channel{Kind: alert.Webhook, URL: h.URL + "/hook", Secret: "shh"}, message)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte("shh"))
	mac.Write(h.body)
	if got, want := h.header.Get("X-Weir-Signature"), "sha256="+hex.EncodeToString(mac.Sum(nil)); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	var got alert.Message
	if err := json.Unmarshal(h.body, &got); err != nil || got.Name != message.Name || *got.Value != 0.2 || got.URL != message.URL {
		t.Errorf("%s: %v", h.body, err)
	}
	if err := s.Send(t.Context(), alert.Channel{Kind: alert.Webhook, URL: h.URL}, message); err != nil || h.header.Get("X-Weir-Signature") != "" {
		t.Errorf("signed without a secret: %v", err)
	}
}

func TestSlack(t *testing.T) {
	h := newHook(t)
	if err := New(h.Client(), Mail{}).Send(t.Context(), alert.Channel{Kind: alert.Slack, URL: h.URL}, message); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Text   string
		Blocks []struct {
			Type     string
			Text     struct{ Type, Text string }
			Elements []struct{ Type, Text string }
		}
	}
	if err := json.Unmarshal(h.body, &got); err != nil || len(got.Blocks) != 2 || got.Text != "errors &lt;b&gt; &amp; co is firing" {
		t.Fatalf("%s: %v", h.body, err)
	}
	if s := got.Blocks[0].Text.Text; !strings.Contains(s, "<https://weir.example.com/ui/traces?q=a&amp;from=b|Open in Weir>") || strings.Contains(s, "<b>") {
		t.Errorf("%s", s)
	}
	if s := got.Blocks[1].Elements[0].Text; !strings.Contains(s, "`model = 'x'`") {
		t.Errorf("%s", s)
	}
}

func TestAnswers(t *testing.T) {
	h := newHook(t)
	s := New(h.Client(), Mail{})
	for status, want := range map[int]fault.Kind{
		200: "", 204: "", 301: fault.Invalid, 400: fault.Invalid, 404: fault.Invalid, 408: fault.Unavailable, 429: fault.Unavailable, 500: fault.Unavailable, 503: fault.Unavailable,
	} {
		h.status = status
		err := s.Send(t.Context(), alert.Channel{Kind: alert.Webhook, URL: h.URL + "/token"}, message)
		if fault.KindOf(err) != want {
			t.Errorf("%d: %v", status, err)
		}
		if err != nil && strings.Contains(err.Error(), "token") {
			t.Errorf("%d: the error names the URL: %v", status, err)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String() + "/token"
	s := New(&http.Client{Transport: &http.Transport{}}, Mail{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = s.Send(ctx, alert.Channel{Kind: alert.Webhook, URL: url}, message) // connected, never answered
	if !fault.Is(err, fault.Timeout) || strings.Contains(err.Error(), "token") {
		t.Errorf("%v", err)
	}
	_ = l.Close()
	if err := s.Send(t.Context(), alert.Channel{Kind: alert.Webhook, URL: url}, message); !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "token") {
		t.Errorf("%v", err)
	}
	if err := s.Send(t.Context(), alert.Channel{Kind: "pigeon"}, message); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}

// postOffice is a mail server that speaks as much SMTP as a client needs. refuse answers a command otherwise.
type postOffice struct {
	addr   *net.TCPAddr
	mu     sync.Mutex
	refuse map[string]string
	heard  []string
	mail   string

	// Set before it listens.
	secure   *tls.Config // offered with STARTTLS
	implicit bool        // or begun with
	offer    string      // ways to log in
}

func (p *postOffice) has(heard string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.heard, func(l string) bool { return strings.HasPrefix(l, heard) })
}

func newPostOffice(t *testing.T, set ...func(*postOffice)) *postOffice {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postOffice{addr: l.Addr().(*net.TCPAddr), refuse: map[string]string{}, offer: "PLAIN LOGIN"}
	for _, f := range set {
		f(p)
	}
	var talks sync.WaitGroup
	talks.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			talks.Go(func() { p.talk(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		talks.Wait()
	})
	return p
}

func (p *postOffice) talk(c net.Conn) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if p.implicit {
		c = tls.Server(c, p.secure)
	}
	r := bufio.NewReader(c)
	say := func(s string) { _, _ = fmt.Fprintf(c, "%s\r\n", s) }
	say("220 mail.example.com ESMTP")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, _, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		p.mu.Lock()
		p.heard = append(p.heard, line)
		no := p.refuse[verb]
		p.mu.Unlock()
		switch {
		case no != "":
			say(no)
		case verb == "STARTTLS":
			say("220 go ahead")
			c = tls.Server(c, p.secure)
			r = bufio.NewReader(c)
		case verb == "EHLO" && p.secure != nil && !p.implicit:
			say("250-mail.example.com\r\n250-STARTTLS\r\n250 AUTH " + p.offer)
		case verb == "EHLO":
			say("250-mail.example.com\r\n250-AUTH " + p.offer + "\r\n250 8BITMIME")
		case line == "AUTH LOGIN":
			say("334 VXNlcm5hbWU6")
			_, _ = r.ReadString('\n')
			say("334 UGFzc3dvcmQ6")
			_, _ = r.ReadString('\n')
			say("235 welcome")
		case verb == "AUTH":
			say("235 welcome")
		case verb == "DATA":
			say("354 go on")
			p.read(r)
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

func (p *postOffice) read(r *bufio.Reader) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == ".\r\n" {
			break
		}
		b.WriteString(line)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mail = b.String()
}

func (p *postOffice) settings() Mail {
	return Mail{Host: "127.0.0.1", Port: p.addr.Port, Username: "weir", Password: "shh", From: "weir@example.com", TLS: "none"}
}

func TestEmail(t *testing.T) {
	p := newPostOffice(t)
	m := message
	m.Name = "line\r\nBcc: x@example.com"
	err := New(nil, p.settings()).Send(t.Context(), alert.Channel{Kind: alert.Email, To: "A <a@example.com>, b@example.com"}, m)
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(p.heard, "\n")
	for _, want := range []string{"MAIL FROM:<weir@example.com>", "RCPT TO:<a@example.com>", "RCPT TO:<b@example.com>", "AUTH PLAIN"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	head, body, _ := strings.Cut(p.mail, "\r\n\r\n")
	if !strings.Contains(head, "Subject: [Weir] FIRING: line Bcc: x@example.com (gpt)") || strings.Contains(head, "\r\nBcc:") || strings.Contains(said, "RCPT TO:<x@") {
		t.Errorf("%s", head)
	}
	if !strings.Contains(strings.ReplaceAll(body, "=\r\n", ""), "errors <b> & co is firing") {
		t.Errorf("%s", body)
	}
}

// TestEmailEncrypted logs in over both kinds of encryption, with an authority of the office's own, which is trusted where
// it is named and only there.
func TestEmailEncrypted(t *testing.T) {
	certified := httptest.NewTLSServer(nil)
	t.Cleanup(certified.Close)
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	c := alert.Channel{Kind: alert.Email, To: "a@example.com"}
	for _, kind := range []string{"starttls", "implicit"} {
		for _, offer := range []string{"PLAIN", "LOGIN", "SCRAM-SHA-1000"} {
			p := newPostOffice(t, func(p *postOffice) {
				p.secure, p.implicit, p.offer = &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}, kind == "implicit", offer
			})
			m := p.settings()
			m.TLS = kind
			if err := New(nil, m).Send(t.Context(), c, message); err == nil || !strings.Contains(err.Error(), "network.ca_file") {
				t.Errorf("%s, an unknown authority: %v", kind, err)
			}
			m.Roots = roots
			err := New(nil, m).Send(t.Context(), c, message)
			if known := !strings.HasPrefix(offer, "SCRAM"); known != (err == nil) || known != p.has("AUTH "+offer) {
				t.Errorf("%s %s: %v", kind, offer, err)
			}
		}
	}
}

func TestEmailFailures(t *testing.T) {
	p := newPostOffice(t)
	c := alert.Channel{Kind: alert.Email, To: "a@example.com"}
	for verb, x := range map[string]struct {
		says string
		want fault.Kind
	}{
		"RCPT": {"550 no such user", fault.Invalid},
		"MAIL": {"451 try again later", fault.Unavailable},
		"AUTH": {"535 wrong password", fault.Unavailable},
	} {
		p.refuse = map[string]string{verb: x.says}
		err := New(nil, p.settings()).Send(t.Context(), c, message)
		if !fault.Is(err, x.want) || strings.Contains(err.Error(), "shh") {
			t.Errorf("%s: %v is %q", verb, err, fault.KindOf(err))
		}
	}
	if err := New(nil, Mail{}).Send(t.Context(), c, message); !fault.Is(err, fault.Invalid) {
		t.Errorf("without settings: %v", err)
	}
	tls := p.settings()
	tls.TLS = "starttls"
	p.refuse = nil
	if err := New(nil, tls).Send(t.Context(), c, message); err == nil { // the server offers none: nothing may be sent in the clear
		t.Error("sent without encryption")
	}
	for _, l := range p.heard[len(p.heard)-3:] {
		if strings.HasPrefix(l, "AUTH") || strings.HasPrefix(l, "MAIL") {
			t.Errorf("heard %q without encryption", l)
		}
	}
}
