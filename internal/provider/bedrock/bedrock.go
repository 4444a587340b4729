// Package bedrock reaches models on Amazon Bedrock Runtime: Converse and ConverseStream for all models, InvokeModel
// with Anthropic bodies for Claude. Requests are signed with SigV4, or carry a Bedrock API key.
package bedrock

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"

	"weir/internal/gateway"
	"weir/internal/llm"
)

// provider is the name under which errors and spans show this upstream.
const provider = "bedrock"

const defaultTimeout = 10 * time.Minute

var (
	_ gateway.Upstream     = (*Upstream)(nil)
	_ gateway.TokenCounter = (*Upstream)(nil)
	_ gateway.Factory      = New
)

// Upstream is one model on Bedrock.
type Upstream struct {
	model   string // as it stands in the path, unescaped
	family  family
	region  string
	base    *url.URL
	headers map[string]string
	bearer  gateway.Secret
	creds   *credentialSource // nil with bearer
	signer  *v4.Signer
	http    *http.Client
	timeout time.Duration
	now     func() time.Time
}

// New builds an Upstream. It reads the environment and, for a region named nowhere else, the shared AWS config file;
// credentials are looked up by the first call.
func New(t gateway.Target, env gateway.Env) (gateway.Upstream, error) {
	u := &Upstream{
		model: modelID(t.Model), headers: t.Headers, http: staying(env.HTTP),
		timeout: cmp.Or(t.Timeout, defaultTimeout), now: time.Now, signer: v4.NewSigner(),
	}
	u.family = familyOf(cmp.Or(t.BaseModel, u.model))
	baseURL := cmp.Or(t.BaseURL, os.Getenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME"))
	u.region = region(t.AWS, u.model)
	if u.region == "" {
		if baseURL == "" {
			return nil, fmt.Errorf("bedrock model %s: no AWS region; set aws_region_name or AWS_REGION", u.model)
		}
		u.region = "us-east-1" // only signs the request: the address is given
	}
	var err error
	if u.base, err = url.Parse(cmp.Or(baseURL, endpoint(u.region))); err != nil || u.base.Host == "" {
		return nil, fmt.Errorf("bedrock model %s: base URL must be like https://vpce-….amazonaws.com", u.model)
	}
	if u.bearer = bearerToken(t); u.bearer == "" {
		u.creds = newCredentialSource(t.AWS, u.region, env.HTTP)
	}
	return u, nil
}

// Endpoint is where calls go.
func (u *Upstream) Endpoint() string { return u.base.String() }

// staying is c without following redirects, which would carry a bearer token along.
func staying(c *http.Client) *http.Client {
	out := *c
	out.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &out
}

// Speaks reports Anthropic's dialect for Claude models, which InvokeModel takes.
func (u *Upstream) Speaks(d llm.Dialect) bool {
	return d == llm.AnthropicMessages && u.family == claude
}

// Chat makes one attempt.
func (u *Upstream) Chat(ctx context.Context, a *gateway.Attempt) (*gateway.Result, error) {
	if a.Native != nil {
		return u.invoke(ctx, a)
	}
	return u.converse(ctx, a)
}

// family is a group of models that share a shape of additional fields.
type family string

const (
	claude family = "claude"
	nova   family = "nova"
	nova2  family = "nova2" // reasons, unlike nova
	gptOSS family = "gpt-oss"
	other  family = ""
)

func familyOf(model string) family {
	model = strings.ToLower(model)
	for _, f := range []struct {
		word string
		is   family
	}{{"anthropic", claude}, {"claude", claude}, {"nova-2", nova2}, {"amazon.nova", nova}, {"gpt-oss", gptOSS}} {
		if strings.Contains(model, f.word) {
			return f.is
		}
	}
	return other
}

// modelID takes off the route that LiteLLM configurations put before the id.
func modelID(s string) string {
	for _, route := range []string{"converse/", "converse_like/", "invoke/"} {
		if rest, ok := strings.CutPrefix(s, route); ok {
			return rest
		}
	}
	return s
}

// region is the first that is named: by the target, the environment, the model's ARN, the profile.
func region(a gateway.AWS, model string) string {
	r := cmp.Or(a.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), os.Getenv("AWS_REGION_NAME"), arnRegion(model))
	if r != "" {
		return r
	}
	profile := cmp.Or(a.Profile, os.Getenv("AWS_PROFILE"), "default")
	c, err := config.LoadSharedConfigProfile(context.Background(), profile, func(o *config.LoadSharedConfigOptions) {
		o.ConfigFiles = fileFrom("AWS_CONFIG_FILE")
		o.CredentialsFiles = fileFrom("AWS_SHARED_CREDENTIALS_FILE")
	})
	if err != nil {
		return "" // no such file or profile: the caller says what to set
	}
	return c.Region
}

// fileFrom is nil, meaning the SDK's usual places, where the variable is not set.
func fileFrom(variable string) []string {
	if name := os.Getenv(variable); name != "" {
		return []string{name}
	}
	return nil
}

// arnRegion is the region of arn:aws:bedrock:{region}:{account}:…, or "". Below a pattern the client writes the ARN, and
// the region becomes part of the host that credentials are sent to, so only what looks like a region counts.
func arnRegion(model string) string {
	if parts := strings.SplitN(model, ":", 6); len(parts) == 6 && parts[0] == "arn" && regionName.MatchString(parts[3]) {
		return parts[3]
	}
	return ""
}

var regionName = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$`)

func endpoint(region string) string {
	suffix := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		suffix += ".cn"
	}
	return "https://bedrock-runtime." + region + "." + suffix
}
