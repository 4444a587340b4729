package auth

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// credential is what one header carries: a token, or a user and password, or a signature we do not verify.
type credential struct {
	kind       credentialKind
	token      string
	user, pass string
}

type credentialKind uint8

const (
	tokenCredential credentialKind = iota + 1
	basicCredential
	awsCredential       // SigV4
	malformedCredential // neither
)

// keyHeaders may carry a key beside Authorization, in the order they are tried. Clients of each dialect send their
// own; some prefix it with "Bearer " out of habit.
var keyHeaders = [...]string{"X-Api-Key", "Api-Key", "X-Goog-Api-Key", "X-Litellm-Api-Key"}

// credentials lists what a request presents, best first. Empty headers do not count.
func credentials(h http.Header) (out []credential) {
	if c, ok := parseAuthorization(h.Get("Authorization")); ok {
		out = append(out, c)
	}
	for _, name := range keyHeaders {
		if v := h[name]; len(v) > 0 {
			if token := stripBearer(v[0]); token != "" {
				out = append(out, credential{kind: tokenCredential, token: token})
			}
		}
	}
	return out
}

func stripBearer(v string) string {
	v = strings.TrimSpace(v)
	if scheme, rest, ok := strings.Cut(v, " "); ok && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(rest)
	}
	if strings.EqualFold(v, "bearer") { // an empty key in a client that adds the scheme
		return ""
	}
	return v
}

func parseAuthorization(v string) (credential, bool) {
	v = strings.TrimSpace(v)
	scheme, rest, _ := strings.Cut(v, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case v == "":
		return credential{}, false
	case strings.EqualFold(scheme, "bearer"):
		return credential{kind: tokenCredential, token: rest}, rest != ""
	case strings.EqualFold(scheme, "basic"):
		return parseBasic(rest), true
	case strings.HasPrefix(v, "AWS4-"):
		return credential{kind: awsCredential}, true
	case rest == "" && strings.HasPrefix(v, "sk-"): // a bare key
		return credential{kind: tokenCredential, token: v}, true
	}
	return credential{kind: malformedCredential}, true
}

func parseBasic(v string) credential {
	raw, err := base64.StdEncoding.DecodeString(v)
	user, pass, ok := strings.Cut(string(raw), ":")
	if err != nil || !ok {
		return credential{kind: malformedCredential}
	}
	return credential{kind: basicCredential, user: user, pass: pass}
}

// Presents reports whether a request carries a credential in a header, good or bad.
func Presents(r *http.Request) bool { return len(credentials(r.Header)) > 0 }
