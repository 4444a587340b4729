// Package notify carries messages of alerts to people: signed webhooks, Slack's incoming webhooks, and e-mail.
package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"weir/internal/alert"
	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/jsonx"
)

// Sender reaches channels of every kind. Its client decides which addresses may be reached.
type Sender struct {
	client *http.Client
	mail   Mail
}

var _ alert.Sender = (*Sender)(nil)

// New returns a Sender.
func New(client *http.Client, m Mail) *Sender { return &Sender{client: client, mail: m} }

// Send implements alert.Sender.
func (s *Sender) Send(ctx context.Context, c alert.Channel, m alert.Message) error {
	switch c.Kind {
	case alert.Webhook:
		return s.post(ctx, c, jsonx.MustMarshal(m))
	case alert.Slack:
		return s.post(ctx, c, jsonx.MustMarshal(slack(m)))
	case alert.Email:
		return s.mail.send(ctx, c.To, m)
	}
	return fault.New(fault.Invalid, "channels of kind %q are unknown", string(c.Kind))
}

// SignatureHeader holds "sha256=" and the HMAC of the body in hex, if the channel has a secret.
const SignatureHeader = "X-Weir-Signature"

// Sign is the value of SignatureHeader.
func Sign(secret string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}

func (s *Sender) post(ctx context.Context, c alert.Channel, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Invalid, "the URL is not one")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Weir")
	if c.Secret != "" {
		r.Header.Set(SignatureHeader, Sign(c.Secret, body))
	}
	res, err := s.client.Do(r)
	if err != nil {
		return unreachable(err)
	}
	defer func() { _ = res.Body.Close() }()
	said, _ := io.ReadAll(io.LimitReader(res.Body, 200)) // for the message only
	return judge(res.StatusCode, said)
}

// unreachable is why there was no answer, without the URL, which may hold a secret.
func unreachable(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.Timeout, "no answer in time")
	}
	return fault.New(fault.Unavailable, "no answer: %s", err.Error())
}

// judge takes a status for success, for trouble that may pass, or for a refusal.
func judge(status int, said []byte) error {
	kind := fault.Invalid
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		kind = fault.Unavailable
	}
	text := strings.TrimSpace(strings.ToValidUTF8(string(said), ""))
	if text == "" || strings.HasPrefix(text, "<") {
		text = http.StatusText(status)
	}
	return fault.New(kind, "answered %d %s", status, text)
}

// slackMessage is the body of an incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
type slackMessage struct {
	Text   string       `json:"text"` // for notifications
	Blocks []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

var icons = map[string]string{"firing": ":red_circle:", "recovered": ":large_green_circle:"}

func slack(m alert.Message) slackMessage {
	icon := icons[m.State]
	if icon == "" {
		icon = ":information_source:"
	}
	facts := fmt.Sprintf("project %s · window %s · %s", escape(m.Project), m.Window, m.Time)
	if m.Filter != "" {
		facts += " · `" + escape(strings.ReplaceAll(m.Filter, "`", "'")) + "`"
	}
	return slackMessage{Text: escape(m.Text), Blocks: []slackBlock{
		{Type: "section", Text: &slackText{"mrkdwn", fmt.Sprintf("%s *%s*\n%s\n<%s|Open in Weir>", icon, escape(m.Name), escape(m.Text), escape(m.URL))}},
		{Type: "context", Elements: []slackText{{"mrkdwn", clip.To(facts, 2000)}}},
	}}
}

// escape is all that Slack asks for: https://docs.slack.dev/messaging/formatting-message-text
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
