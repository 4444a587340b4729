package bedrock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"weir/internal/gateway"
	"weir/internal/llm"
)

// issuer stands in for every service that gives out credentials: each answer carries another key.
type issuer struct {
	*httptest.Server
	calls atomic.Int64
	seen  atomic.Pointer[http.Request]
	form  atomic.Pointer[url.Values]
	ttl   time.Duration
}

func newIssuer(t *testing.T, ttl time.Duration) *issuer {
	i := &issuer{ttl: ttl}
	i.Server = httptest.NewServer(http.HandlerFunc(i.answer))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) answer(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(b))
	i.seen.Store(r)
	i.form.Store(&form)
	expires := time.Now().Add(i.ttl).UTC().Format(time.RFC3339)
	switch action := form.Get("Action"); {
	case action != "":
		fmt.Fprintf(w, `<%[1]sResponse><%[1]sResult><Credentials><AccessKeyId>ASIA%[2]d</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
			<SessionToken>t</SessionToken><Expiration>%[3]s</Expiration></Credentials><AssumedRoleUser><Arn>a</Arn><AssumedRoleId>b</AssumedRoleId>
			</AssumedRoleUser></%[1]sResult></%[1]sResponse>`, action, i.calls.Add(1), expires)
	case r.URL.Path == "/latest/api/token":
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
		fmt.Fprint(w, "imds-token")
	case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
		fmt.Fprint(w, "instance-role")
	default:
		fmt.Fprintf(w, `{"Code":"Success","AccessKeyId":"ASIA%d","SecretAccessKey":"s","Token":"t","Expiration":%q}`, i.calls.Add(1), expires)
	}
}

// signedBy is the access key that signs a request of u.
func signedBy(t *testing.T, u *Upstream) string {
	t.Helper()
	req, err := u.request(t.Context(), "converse", acceptJSON, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(req.Header.Get("Authorization"), "Credential=")
	key, _, _ := strings.Cut(rest, "/")
	return key
}

func TestCredentialSources(t *testing.T) {
	for name, c := range map[string]struct {
		setUp func(t *testing.T, i *issuer) gateway.AWS
		want  string
	}{
		"static": {func(*testing.T, *issuer) gateway.AWS {
			return gateway.AWS{AccessKeyID: "AKIASTATIC", SecretAccessKey: "s"}
		}, "AKIASTATIC"},
		"environment": {func(t *testing.T, _ *issuer) gateway.AWS {
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
			return gateway.AWS{}
		}, "AKIAENV"},
		"profile": {func(t *testing.T, _ *issuer) gateway.AWS {
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV") // the target's own choice wins
			t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", writeFile(t, "credentials", "[team]\naws_access_key_id=AKIAPROFILE\naws_secret_access_key=s\n"))
			return gateway.AWS{Profile: "team"}
		}, "AKIAPROFILE"},
		"ECS container": {func(t *testing.T, i *issuer) gateway.AWS {
			t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", i.URL+"/role")
			return gateway.AWS{}
		}, "ASIA1"},
		"EC2 instance role": {func(t *testing.T, i *issuer) gateway.AWS {
			t.Setenv("AWS_EC2_METADATA_DISABLED", "")
			t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", i.URL)
			return gateway.AWS{}
		}, "ASIA1"},
		"web identity": {func(t *testing.T, i *issuer) gateway.AWS {
			return gateway.AWS{RoleARN: "arn:aws:iam::123456789012:role/r", STSEndpoint: i.URL, WebIdentityToken: writeFile(t, "token", "jwt")}
		}, "ASIA1"},
		"web identity from the environment": {func(t *testing.T, i *issuer) gateway.AWS {
			t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r")
			t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", writeFile(t, "token", "jwt"))
			t.Setenv("AWS_ENDPOINT_URL_STS", i.URL)
			return gateway.AWS{}
		}, "ASIA1"},
		"assumed role": {func(_ *testing.T, i *issuer) gateway.AWS {
			return gateway.AWS{
				AccessKeyID: "AKIABASE", SecretAccessKey: "s", RoleARN: "arn:aws:iam::123456789012:role/r", ExternalID: "ext",
				RoleSessionName: "sess", STSEndpoint: i.URL,
			}
		}, "ASIA1"},
	} {
		t.Run(name, func(t *testing.T) {
			clearAWS(t)
			i := newIssuer(t, time.Hour)
			a := c.setUp(t, i)
			a.Region = "us-east-1"
			u := newUpstream(t, gateway.Target{Model: "m", AWS: a})
			if i.calls.Load() != 0 {
				t.Error("New touched the network")
			}
			for range 3 {
				if got := signedBy(t, u); got != c.want {
					t.Errorf("signed by %q, want %q", got, c.want)
				}
			}
		})
	}
}

func TestAssumeRoleParameters(t *testing.T) {
	clearAWS(t)
	i := newIssuer(t, time.Hour)
	u := newUpstream(t, gateway.Target{Model: "m", AWS: gateway.AWS{
		Region: "eu-west-1", AccessKeyID: "AKIABASE", SecretAccessKey: "s", RoleARN: "arn:aws:iam::123456789012:role/r",
		ExternalID: "ext", RoleSessionName: "sess", STSEndpoint: i.URL,
	}})
	signedBy(t, u)
	f := *i.form.Load()
	if f.Get("RoleArn") != "arn:aws:iam::123456789012:role/r" || f.Get("ExternalId") != "ext" || f.Get("RoleSessionName") != "sess" {
		t.Errorf("form %v", f)
	}
	if auth := i.seen.Load().Header.Get("Authorization"); !strings.Contains(auth, "AKIABASE") || !strings.Contains(auth, "/eu-west-1/sts/") {
		t.Errorf("STS call signed with %q", auth)
	}
}

// TestRefresh gives out credentials that expire within the refresh window: each call must ask anew, and one forgotten
// set must not be used again.
func TestRefresh(t *testing.T) {
	clearAWS(t)
	for name, c := range map[string]struct {
		ttl    time.Duration
		forget bool
		want   string
	}{
		"kept":              {time.Hour, false, "ASIA1"},
		"close to expiry":   {time.Minute, false, "ASIA2"},
		"called expired":    {time.Hour, true, "ASIA2"},
		"already timed out": {-time.Minute, false, "ASIA2"},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t, c.ttl)
			t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", i.URL+"/role")
			u := newUpstream(t, gateway.Target{Model: "m", AWS: gateway.AWS{Region: "us-east-1"}})
			signedBy(t, u)
			if c.forget {
				u.creds.forget()
			}
			if got := signedBy(t, u); got != c.want {
				t.Errorf("second call signed by %s, want %s", got, c.want)
			}
		})
	}
}

func TestExpiredTokenAnswerForgetsCredentials(t *testing.T) {
	clearAWS(t)
	i := newIssuer(t, time.Hour)
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", i.URL+"/role")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Errortype", "ExpiredTokenException")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"message":"The security token included in the request is expired"}`)
	}))
	defer srv.Close()
	u := newUpstream(t, gateway.Target{Model: "m", BaseURL: srv.URL, AWS: gateway.AWS{Region: "us-east-1"}})
	for range 2 {
		if _, err := u.send(t.Context(), "converse", acceptJSON, nil); err == nil {
			t.Fatal("no error")
		}
	}
	if n := i.calls.Load(); n != 2 {
		t.Errorf("credentials were looked up %d times, want 2", n)
	}
}

func TestNoCredentials(t *testing.T) {
	clearAWS(t)
	for name, a := range map[string]gateway.AWS{
		"nothing configured": {},
		"unknown profile":    {Profile: "nobody"},
		"role without base":  {RoleARN: "arn:aws:iam::123456789012:role/r", STSEndpoint: "http://127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			a.Region = "us-east-1"
			u := newUpstream(t, gateway.Target{Model: "m", AWS: a})
			_, err := u.Chat(t.Context(), &gateway.Attempt{Hub: &llm.Request{Messages: []llm.Message{user(text("hi"))}}})
			var e *llm.Error
			if !errors.As(err, &e) || e.Type != llm.TypeCredentials || e.Retryable() || !e.Misconfigured() {
				t.Fatalf("%v", err)
			}
			if !strings.Contains(strings.ToLower(e.Message), "aws") || e.Err == nil {
				t.Errorf("message %q, cause %v", e.Message, e.Err)
			}
		})
	}
}

func TestCredentialLookupEndsWithItsCaller(t *testing.T) {
	clearAWS(t)
	called, release := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(called); <-release }))
	defer srv.Close()
	defer close(release)
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", srv.URL)
	u := newUpstream(t, gateway.Target{Model: "m", AWS: gateway.AWS{Region: "us-east-1"}})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := u.send(ctx, "converse", acceptJSON, nil)
		failed <- err
	}()
	<-called
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestLookupsUseTheProxy sends an STS call for an unroutable host through the client's proxy.
func TestLookupsUseTheProxy(t *testing.T) {
	clearAWS(t)
	i := newIssuer(t, time.Hour)
	proxy, _ := url.Parse(i.URL)
	tr := &http.Transport{Proxy: http.ProxyURL(proxy)}
	defer tr.CloseIdleConnections()
	up, err := New(gateway.Target{Model: "m", AWS: gateway.AWS{
		Region: "us-east-1", AccessKeyID: "AKIABASE", SecretAccessKey: "s", RoleARN: "arn:aws:iam::123456789012:role/r",
		STSEndpoint: "http://sts.example.com",
	}}, gateway.Env{HTTP: &http.Client{Transport: tr}})
	if err != nil {
		t.Fatal(err)
	}
	if got := signedBy(t, up.(*Upstream)); got != "ASIA1" || i.seen.Load().Host != "sts.example.com" {
		t.Errorf("signed by %q, proxied host %q", got, i.seen.Load().Host)
	}
}
