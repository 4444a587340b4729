package notify

import (
	"slices"

	"github.com/wneessen/go-mail/smtp"

	"weir/internal/fault"
)

// login takes one of the ways to log in that the server offers. The client's own choice knows only of encryption that
// it began itself, so on a connection that came encrypted it would take neither PLAIN nor LOGIN, all that most offer.
type login struct {
	smtp.Auth
	mail Mail
}

// Start implements smtp.Auth. Nothing is sent over a connection that is not encrypted.
func (l *login) Start(server *smtp.ServerInfo) (string, []byte, error) {
	m := l.mail
	for _, way := range []struct {
		name string
		auth smtp.Auth
	}{
		{"SCRAM-SHA-256", smtp.ScramSHA256Auth(m.Username, m.Password)}, {"PLAIN", smtp.PlainAuth("", m.Username, m.Password, m.Host, false)},
		{"LOGIN", smtp.LoginAuth(m.Username, m.Password, m.Host, false)}, {"CRAM-MD5", smtp.CRAMMD5Auth(m.Username, m.Password)},
	} {
		if slices.Contains(server.Auth, way.name) {
			l.Auth = way.auth
			return l.Auth.Start(server)
		}
	}
	return "", nil, fault.New(fault.Invalid, "the mail server offers no way to log in that is known here")
}
