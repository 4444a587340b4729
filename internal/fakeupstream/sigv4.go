package fakeupstream

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	signService = "bedrock"
	maxSkew     = 5 * time.Minute // how far a signature's time may be from ours
)

// authorization is a parsed AWS4-HMAC-SHA256 header.
type authorization struct {
	key, date, region, service string
	headers                    []string
	signature                  string
}

func parseAuthorization(h string) (authorization, bool) {
	rest, ok := strings.CutPrefix(h, "AWS4-HMAC-SHA256 ")
	if !ok {
		return authorization{}, false
	}
	fields := map[string]string{}
	for f := range strings.SplitSeq(rest, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(f), "=")
		fields[k] = v
	}
	scope := strings.Split(fields["Credential"], "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return authorization{}, false
	}
	return authorization{
		key: scope[0], date: scope[1], region: scope[2], service: scope[3],
		headers: strings.Split(fields["SignedHeaders"], ";"), signature: fields["Signature"],
	}, true
}

// verify checks a Signature Version 4, following the published procedure, and returns the access key.
func (s *Server) verify(r *http.Request, body []byte) (string, *refusal) {
	a, ok := parseAuthorization(r.Header.Get("Authorization"))
	if !ok {
		return "", denied("IncompleteSignatureException", "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters.")
	}
	i := slices.IndexFunc(s.aws, func(c Credential) bool { return c.AccessKey == a.key })
	if i < 0 || r.Header.Get("X-Amz-Security-Token") != s.aws[i].Token {
		return "", denied("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	if f := s.scope(a, r); f != nil {
		return "", f
	}
	if !hmac.Equal([]byte(a.signature), []byte(signature(s.aws[i].Secret, a, r, body))) {
		return "", denied("InvalidSignatureException", "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return a.key, nil
}

func denied(kind, msg string) *refusal {
	return &refusal{status: http.StatusForbidden, kind: kind, msg: msg}
}

func (s *Server) scope(a authorization, r *http.Request) *refusal {
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	now := s.opt.Now().UTC()
	switch {
	case a.service != signService:
		return denied("InvalidSignatureException", "Credential should be scoped to correct service: '"+signService+"'. ")
	case s.opt.Region != "" && a.region != s.opt.Region:
		return denied("InvalidSignatureException", "Credential should be scoped to a valid region. ")
	case err != nil || at.Format("20060102") != a.date:
		return denied("IncompleteSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP")
	case now.Sub(at) > maxSkew:
		return denied("InvalidSignatureException", fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 5 min.)",
			at.Format("20060102T150405Z"), now.Add(-maxSkew).Format("20060102T150405Z"), now.Format("20060102T150405Z")))
	case at.Sub(now) > maxSkew:
		return denied("InvalidSignatureException", "Signature not yet current: "+at.Format("20060102T150405Z"))
	case !slices.Contains(a.headers, "host") || !slices.Contains(a.headers, "x-amz-date"):
		return denied("InvalidSignatureException", "'Host' and 'X-Amz-Date' must be signed headers.")
	}
	return nil
}

func signature(secret string, a authorization, r *http.Request, body []byte) string {
	canonical := sha256.Sum256([]byte(canonicalRequest(a, r, body)))
	scope := strings.Join([]string{a.date, a.region, a.service, "aws4_request"}, "/")
	toSign := "AWS4-HMAC-SHA256\n" + r.Header.Get("X-Amz-Date") + "\n" + scope + "\n" + hex.EncodeToString(canonical[:])
	key := []byte("AWS4" + secret)
	for _, part := range []string{a.date, a.region, a.service, "aws4_request", toSign} {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(part))
		key = m.Sum(nil)
	}
	return hex.EncodeToString(key)
}

func canonicalRequest(a authorization, r *http.Request, body []byte) string {
	sum := sha256.Sum256(body)
	var b bytes.Buffer
	b.WriteString(r.Method + "\n" + encodePath(r.URL.EscapedPath()) + "\n" + canonicalQuery(r.URL) + "\n")
	for _, h := range a.headers {
		b.WriteString(h + ":" + signedValue(r, h) + "\n")
	}
	b.WriteString("\n" + strings.Join(a.headers, ";") + "\n" + hex.EncodeToString(sum[:]))
	return b.String()
}

func signedValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	var vs []string
	for _, v := range r.Header.Values(name) {
		vs = append(vs, strings.Join(strings.Fields(v), " "))
	}
	return strings.Join(vs, ",")
}

// encodePath escapes the path as received once more: every service but S3 signs the path encoded twice.
func encodePath(p string) string {
	const hexdigits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(p) {
		if c == '/' || c == '-' || c == '_' || c == '.' || c == '~' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexdigits[c>>4])
		b.WriteByte(hexdigits[c&15])
	}
	return b.String()
}

func canonicalQuery(u *url.URL) string {
	return strings.ReplaceAll(u.Query().Encode(), "+", "%20")
}
