package auth

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func token(s string) credential { return credential{kind: tokenCredential, token: s} }

func TestCredentials(t *testing.T) {
	basic := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, c := range map[string]struct {
		header map[string]string
		want   []credential
	}{
		"none":             {nil, nil},
		"bearer":           {map[string]string{"Authorization": "Bearer sk-1"}, []credential{token("sk-1")}},
		"bearer, sloppy":   {map[string]string{"Authorization": "  bearer   sk-1 "}, []credential{token("sk-1")}},
		"bearer, empty":    {map[string]string{"Authorization": "Bearer "}, nil},
		"bare key":         {map[string]string{"Authorization": "sk-1"}, []credential{token("sk-1")}},
		"x-api-key":        {map[string]string{"x-api-key": "sk-1"}, []credential{token("sk-1")}},
		"empty x-api-key":  {map[string]string{"x-api-key": ""}, nil},
		"azure":            {map[string]string{"api-key": "sk-1"}, []credential{token("sk-1")}},
		"gemini":           {map[string]string{"x-goog-api-key": "sk-1"}, []credential{token("sk-1")}},
		"litellm":          {map[string]string{"x-litellm-api-key": "Bearer sk-1"}, []credential{token("sk-1")}},
		"litellm, empty":   {map[string]string{"x-litellm-api-key": "Bearer"}, nil},
		"several":          {map[string]string{"x-litellm-api-key": "c", "x-api-key": "b", "Authorization": "Bearer a"}, []credential{token("a"), token("b"), token("c")}},
		"basic":            {map[string]string{"Authorization": basic("pk:sk-1")}, []credential{{kind: basicCredential, user: "pk", pass: "sk-1"}}},
		"basic, colons":    {map[string]string{"Authorization": basic("a:b:c")}, []credential{{kind: basicCredential, user: "a", pass: "b:c"}}},
		"basic, no colon":  {map[string]string{"Authorization": basic("abc")}, []credential{{kind: malformedCredential}}},
		"basic, no base64": {map[string]string{"Authorization": "Basic ???"}, []credential{{kind: malformedCredential}}},
		"sigv4":            {map[string]string{"Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature=00"}, []credential{{kind: awsCredential}}},
		"digest":           {map[string]string{"Authorization": "Digest x"}, []credential{{kind: malformedCredential}}},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			for k, v := range c.header {
				h.Set(k, v)
			}
			if d := cmp.Diff(c.want, credentials(h), cmp.AllowUnexported(credential{})); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzCredentials(f *testing.F) {
	for _, s := range []string{"Bearer sk-1", "Basic cGs6c2s=", "AWS4-HMAC-SHA256 x", "sk-1", "Bearer", "Basic", " ", "\x00: "} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, authorization, key string) {
		h := http.Header{"Authorization": {authorization}, "X-Api-Key": {key}}
		got := credentials(h)
		if len(got) > 2 {
			t.Fatalf("%d credentials from two headers", len(got))
		}
		for _, c := range got {
			switch c.kind {
			case tokenCredential:
				if c.token == "" || strings.TrimSpace(c.token) != c.token || (!strings.Contains(authorization, c.token) && !strings.Contains(key, c.token)) {
					t.Fatalf("token %q", c.token)
				}
			case basicCredential, awsCredential, malformedCredential:
			default:
				t.Fatalf("credential without a kind: %+v", c)
			}
		}
		if strings.TrimSpace(authorization) == "" && strings.TrimSpace(key) == "" && len(got) != 0 {
			t.Fatal("a credential out of nothing")
		}
	})
}
