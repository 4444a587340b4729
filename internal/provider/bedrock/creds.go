package bedrock

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"weir/internal/gateway"
	"weir/internal/llm"
)

const (
	// refreshBefore is how long before their expiry credentials are replaced. Instance roles get new ones at least
	// five minutes ahead.
	refreshBefore = 3 * time.Minute
	// credentialTimeout bounds a caller's wait for credentials.
	credentialTimeout = 15 * time.Second
	// exchangeTimeout bounds one HTTP exchange of a lookup.
	exchangeTimeout = 8 * time.Second
)

// bearerToken is a Bedrock API key. One from the environment yields to credentials that the target names itself.
func bearerToken(t gateway.Target) gateway.Secret {
	if tok := cmp.Or(t.AWS.BearerToken, t.APIKey); tok != "" {
		return tok
	}
	if a := t.AWS; a.AccessKeyID != "" || a.Profile != "" || a.RoleARN != "" {
		return ""
	}
	return gateway.Secret(os.Getenv("AWS_BEARER_TOKEN_BEDROCK"))
}

// credentialSource finds AWS credentials on first use and keeps them until shortly before they expire. A failed
// lookup is not remembered.
type credentialSource struct {
	aws    gateway.AWS
	region string
	client config.HTTPClient

	mu    sync.Mutex
	cache *aws.CredentialsCache
}

func newCredentialSource(a gateway.AWS, region string, c *http.Client) *credentialSource {
	return &credentialSource{aws: a, region: region, client: lookupClient(c)}
}

// get returns credentials, or ctx's error, or an *llm.Error of TypeCredentials.
func (s *credentialSource) get(ctx context.Context) (aws.Credentials, error) {
	bounded, cancel := context.WithTimeout(ctx, credentialTimeout)
	defer cancel()
	cache, err := s.provider(bounded)
	if err == nil {
		var c aws.Credentials
		if c, err = cache.Retrieve(bounded); err == nil {
			return c, nil
		}
	}
	if ctx.Err() != nil {
		return aws.Credentials{}, ctx.Err()
	}
	return aws.Credentials{}, s.failure(err)
}

// forget makes the next call look credentials up anew, after the service called them expired.
func (s *credentialSource) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cache != nil {
		s.cache.Invalidate()
	}
}

func (s *credentialSource) provider(ctx context.Context) (*aws.CredentialsCache, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cache != nil {
		return s.cache, nil
	}
	cfg, err := config.LoadDefaultConfig(ctx, s.options()...)
	if err != nil {
		return nil, err
	}
	provider := cfg.Credentials
	if s.aws.RoleARN != "" {
		provider = s.role(cfg)
	}
	// LoadDefaultConfig's own cache already has our expiry window; a second cache around it would ask it too early
	// and be given the same credentials.
	cache, ok := provider.(*aws.CredentialsCache)
	if !ok {
		cache = aws.NewCredentialsCache(provider, expiryWindow)
	}
	s.cache = cache
	return cache, nil
}

func expiryWindow(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = refreshBefore }

func (s *credentialSource) options() []func(*config.LoadOptions) error {
	opts := []func(*config.LoadOptions) error{
		config.WithHTTPClient(s.client), config.WithRegion(s.region), config.WithCredentialsCacheOptions(expiryWindow),
	}
	if s.aws.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(s.aws.Profile))
	}
	if s.aws.AccessKeyID != "" {
		opts = append(opts, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(
			s.aws.AccessKeyID, s.aws.SecretAccessKey.Reveal(), s.aws.SessionToken.Reveal())))
	}
	return opts
}

// role assumes the target's role, by the token file if one is given, else with the credentials found so far.
func (s *credentialSource) role(cfg aws.Config) aws.CredentialsProvider {
	client := sts.NewFromConfig(cfg, func(o *sts.Options) {
		if s.aws.STSEndpoint != "" {
			o.BaseEndpoint = &s.aws.STSEndpoint
		}
	})
	session := cmp.Or(s.aws.RoleSessionName, os.Getenv("AWS_ROLE_SESSION_NAME"), "weir")
	if s.aws.WebIdentityToken != "" {
		return stscreds.NewWebIdentityRoleProvider(client, s.aws.RoleARN, stscreds.IdentityTokenFile(s.aws.WebIdentityToken),
			func(o *stscreds.WebIdentityRoleOptions) { o.RoleSessionName = session })
	}
	return stscreds.NewAssumeRoleProvider(client, s.aws.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = session
		if s.aws.ExternalID != "" {
			o.ExternalID = &s.aws.ExternalID
		}
	})
}

// failure says what to do about it. The cause stays private: it can name accounts and hosts.
func (s *credentialSource) failure(err error) *llm.Error {
	msg := "no AWS credentials found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, " +
		"AWS_BEARER_TOKEN_BEDROCK, or give the machine or container a role"
	switch {
	case s.aws.RoleARN != "":
		msg = "the configured AWS role could not be assumed; check aws_role_name, its trust policy, and the credentials that assume it"
	case s.aws.Profile != "":
		msg = "the configured AWS profile gave no credentials; check aws_profile_name and run \"aws sts get-caller-identity\" with it"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		msg = "looking up AWS credentials took too long; " + msg
	}
	return &llm.Error{Provider: provider, Type: llm.TypeCredentials, Message: msg, Err: err}
}

// lookupClient sends lookups the way upstreams are reached, so that proxy and CA settings hold, but with a deadline of
// its own: the SDK detaches lookups, which callers share, from any caller's context. It is the SDK's kind of client,
// since the SDK gives up where AWS_CA_BUNDLE is set and the client is of another kind, and since it sets shorter
// timeouts of its own on that kind towards the instance metadata service.
func lookupClient(c *http.Client) config.HTTPClient {
	shared := &http.Transport{Proxy: http.ProxyFromEnvironment}
	switch t := c.Transport.(type) {
	case *http.Transport:
		shared = t
	case interface{ Plain() *http.Transport }: // Weir's own client
		shared = t.Plain()
	}
	return awshttp.NewBuildableClient().WithTimeout(exchangeTimeout).WithTransportOptions(func(t *http.Transport) {
		t.Proxy, t.DisableKeepAlives = shared.Proxy, true // lookups are rare
		if tls := shared.TLSClientConfig; tls != nil {
			t.TLSClientConfig = tls.Clone()
			if tls.RootCAs != nil {
				t.TLSClientConfig.RootCAs = tls.RootCAs.Clone() // the SDK may add to it
			}
		}
	})
}

// Check finds out whether credentials can be had, without calling a model.
func (u *Upstream) Check(ctx context.Context) error {
	if u.creds == nil {
		return nil // an API key is only checked by use
	}
	_, err := u.creds.get(ctx)
	return err
}
