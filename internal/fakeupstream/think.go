package fakeupstream

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// signer makes and checks the proof in a thinking block: an HMAC over the model and the text. A signature of another
// model, of changed text, or by another service is therefore refused.
type signer struct{ key []byte }

func (s signer) mac(kind string, m Model, text string) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(kind + "\x00" + m.family() + "\x00" + text))
	return h.Sum(nil)
}

func (s signer) sign(m Model, text string) string {
	return base64.StdEncoding.EncodeToString(append([]byte("sig1"), s.mac("thinking", m, text)...))
}

func (s signer) valid(m Model, text, sig string) bool {
	return hmac.Equal([]byte(sig), []byte(s.sign(m, text)))
}

// redact is the opaque data of a redacted thinking block.
func (s signer) redact(m Model) string {
	return base64.StdEncoding.EncodeToString(append([]byte("red1"), s.mac("redacted", m, "")...))
}

func (s signer) validRedacted(m Model, data string) bool {
	return hmac.Equal([]byte(data), []byte(s.redact(m)))
}
