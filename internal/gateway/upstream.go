package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"weir/internal/catalog"
	"weir/internal/llm"
)

// Upstream is a client of one deployment's model. Implementations are stateless but for connections and credentials,
// and safe for concurrent use.
type Upstream interface {
	// Speaks reports whether Chat takes Attempt.Native bodies of the dialect.
	Speaks(d llm.Dialect) bool
	// Chat makes one attempt. All failures are *llm.Error, but for ctx's own. Nothing is retried here.
	Chat(ctx context.Context, a *Attempt) (*Result, error)
}

// TokenCounter is an Upstream that can count the tokens of a request without running it.
type TokenCounter interface {
	CountTokens(ctx context.Context, a *Attempt) (int64, error)
}

// Attempt is one request to one upstream. Either Native or Hub is set. Neither may be modified: they are shared with
// later attempts and with the record.
type Attempt struct {
	Native  []byte      // the client's body in Dialect, to be patched in place (model, stream options …)
	Dialect llm.Dialect // of Native
	Hub     *llm.Request
	Stream  bool
	As      string      // name that answers must carry in their "model" field
	Header  http.Header // client's headers, to pick from (anthropic-beta, anthropic-version)
	Model   catalog.Model
	// CachePoints asks a native body that has no cache marks of its own to be given some: tools, system, last two user
	// turns. In Hub the gateway has set them already.
	CachePoints bool
	Drop        bool
	// Sent, if set, is told the exact body sent upstream.
	Sent func(body []byte)
}

// Result is a successful answer (2xx). Stream is set if Attempt.Stream was; otherwise Response is, and with a native
// attempt Body holds the answer's bytes in the client's dialect.
type Result struct {
	Status   int
	Header   http.Header
	Body     []byte
	Response *llm.Response
	Stream   FrameReader
}

// Target is one configured way to reach one upstream model. Strings are literal: references to the environment have
// been resolved. Secrets are of type Secret so that they cannot be printed.
type Target struct {
	Provider  string // "openai", "anthropic", "bedrock", or a row of openaicompat
	Model     string // as the upstream names it
	BaseModel string // catalog name where Model hides it (application inference profiles, deployments)
	BaseURL   string // "" = the provider's public endpoint
	APIKey    Secret
	Headers   map[string]string
	AWS       AWS
	Timeout   time.Duration // whole call; 0 = 10 minutes
}

// AWS is where Bedrock credentials come from. Empty fields fall back to the SDK's default chain: environment, profile,
// web identity, ECS container, EC2 instance role.
type AWS struct {
	Region           string
	AccessKeyID      string
	SecretAccessKey  Secret
	SessionToken     Secret
	Profile          string
	RoleARN          string
	RoleSessionName  string
	ExternalID       string
	WebIdentityToken string // file path
	STSEndpoint      string
	BearerToken      Secret // Bedrock API key, instead of SigV4
}

// Secret is a string that prints as "***" everywhere: fmt, slog, JSON, YAML.
type Secret string

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString keeps %#v from printing the secret.
func (s Secret) GoString() string { return s.String() }

// LogValue keeps slog from printing the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps encoders from printing the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal is the secret itself, for the one place that must send it.
func (s Secret) Reveal() string { return string(s) }

// Env is what every upstream shares.
type Env struct {
	HTTP *http.Client // tuned transport with proxy and CA settings; no timeout of its own
	Log  *slog.Logger
}

// Factory builds an Upstream. It must not touch the network.
type Factory func(t Target, env Env) (Upstream, error)
