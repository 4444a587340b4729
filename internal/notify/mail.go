package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"weir/internal/alert"
	"weir/internal/clip"
	"weir/internal/fault"
)

// Mail is the server that e-mail is sent through. Without a Host there is no e-mail.
type Mail struct {
	Host               string
	Port               int // 0 = 587, or 465 for implicit TLS
	Username, Password string
	From               string
	TLS                string         // "starttls", "implicit" or "none"
	Roots              *x509.CertPool // authorities its certificate may come from; nil = the system's
}

// mailTime bounds one conversation with the server.
const mailTime = 10 * time.Second

func (m Mail) send(ctx context.Context, to string, msg alert.Message) error {
	if m.Host == "" {
		return fault.New(fault.Invalid, "e-mail is not set up: the setting email.host is empty")
	}
	out, err := m.compose(to, msg)
	if err != nil {
		return err
	}
	l := &line{}
	if m.TLS == "implicit" {
		l.tls = m.tls()
	}
	defer l.close()
	c, err := mail.NewClient(m.Host, append(m.options(), mail.WithDialContextFunc(l.dial))...)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the e-mail settings are not usable")
	}
	if err := c.DialAndSendWithContext(ctx, out); err != nil {
		return mailError(err)
	}
	return nil
}

// line is the connection of one conversation. It is closed whatever becomes of that: the client leaves it open when the
// server refuses a login or encryption.
type line struct {
	tls  *tls.Config // of a conversation that is encrypted from its first byte
	conn net.Conn
}

func (l *line) dial(ctx context.Context, network, addr string) (c net.Conn, err error) {
	d := &net.Dialer{Timeout: mailTime}
	if l.tls != nil {
		c, err = (&tls.Dialer{NetDialer: d, Config: l.tls}).DialContext(ctx, network, addr)
	} else {
		c, err = d.DialContext(ctx, network, addr)
	}
	if err == nil {
		l.conn = c
	}
	return c, err
}

func (l *line) close() {
	if l.conn != nil {
		_ = l.conn.Close() // usually a second time
	}
}

func (m Mail) tls() *tls.Config {
	return &tls.Config{ServerName: m.Host, RootCAs: m.Roots, MinVersion: tls.VersionTLS12}
}

func (m Mail) options() []mail.Option {
	o := []mail.Option{mail.WithTimeout(mailTime), mail.WithTLSConfig(m.tls())}
	switch m.TLS {
	case "implicit":
		o = append(o, mail.WithSSLPort(false))
	case "none":
		o = append(o, mail.WithTLSPortPolicy(mail.NoTLS), mail.WithPort(587))
	default:
		o = append(o, mail.WithTLSPortPolicy(mail.TLSMandatory))
	}
	if m.Port > 0 {
		o = append(o, mail.WithPort(m.Port))
	}
	if m.Username == "" {
		return o
	}
	if m.TLS == "implicit" {
		return append(o, mail.WithSMTPAuthCustom(&login{mail: m}))
	}
	auth := mail.SMTPAuthAutoDiscover
	if m.TLS == "none" {
		auth = mail.SMTPAuthPlainNoEnc // asked for by the setting
	}
	return append(o, mail.WithSMTPAuth(auth), mail.WithUsername(m.Username), mail.WithPassword(m.Password))
}

func (m Mail) compose(to string, msg alert.Message) (*mail.Msg, error) {
	out := mail.NewMsg()
	if err := out.From(m.From); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the setting email.from is not an address")
	}
	list, err := netmail.ParseAddressList(to)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the addresses are not valid")
	}
	for _, a := range list {
		if err := out.AddTo(a.Address); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "%s is not an address", a.Address)
		}
	}
	out.Subject(subject(msg))
	out.SetBodyString(mail.TypeTextPlain, text(msg))
	out.SetDate()
	out.SetMessageID()
	return out, nil
}

func subject(m alert.Message) string {
	s := fmt.Sprintf("[Weir] %s: %s", strings.ToUpper(m.State), m.Name)
	if m.Group != "" {
		s += " (" + m.Group + ")"
	}
	return clip.To(strings.Join(strings.Fields(s), " "), 180)
}

func text(m alert.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n\n", m.Text, m.URL)
	for _, f := range [][2]string{{"Project", m.Project}, {"Filter", m.Filter}, {"Group", m.Group}, {"Window", m.Window}, {"Time", m.Time}} {
		if f[1] != "" {
			fmt.Fprintf(&b, "%-8s %s\n", f[0]+":", f[1])
		}
	}
	return b.String()
}

// mailError tells a refusal by the server from trouble that may pass.
func mailError(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.Timeout, "the mail server did not answer in time")
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fault.New(fault.Unavailable, "the mail server's certificate is signed by an unknown authority; name the authority with network.ca_file")
	}
	kind := fault.Unavailable
	if s, ok := errors.AsType[*mail.SendError](err); ok && !s.IsTemp() {
		kind = fault.Invalid
	}
	return fault.New(kind, "the mail server could not be used: %s", clip.To(err.Error(), 300))
}
