// Package config is the one tree of settings: defaults, a YAML file, the environment and flags, in rising order of
// precedence. Foreign files (LiteLLM's config.yaml) are importers that produce the same tree.
package config

import (
	"time"
)

// Config is everything that can be set. Field names in YAML are snake_case; durations are written "30s", sizes "32MiB".
type Config struct {
	Server    Server            `yaml:"server" doc:"where Weir listens and how it is reached"`
	Data      string            `yaml:"data" doc:"folder of all stores"`
	Log       Log               `yaml:"log" doc:"logging"`
	Admin     Admin             `yaml:"admin" doc:"first administrator and master key"`
	Models    []Model           `yaml:"models" doc:"deployments: one model at one provider each"`
	Routing   Routing           `yaml:"routing" doc:"retries, fallbacks, cooldown"`
	Recording Recording         `yaml:"recording" doc:"what is recorded, and for how long"`
	Ingest    Ingest            `yaml:"ingest" doc:"spans from outside"`
	Network   Network           `yaml:"network" doc:"how upstreams are reached"`
	Index     Index             `yaml:"index" doc:"the columnar index"`
	Email     Email             `yaml:"email" doc:"the server that alerts by e-mail are sent through"`
	Export    Export            `yaml:"export" doc:"scheduled exports"`
	Telemetry Telemetry         `yaml:"telemetry" doc:"spans of Weir's own work, for the operator"`
	Teams     []Team            `yaml:"teams" doc:"teams; read-only in the UI"`
	Keys      []Key             `yaml:"keys" doc:"virtual keys; read-only in the UI"`
	Env       map[string]string `yaml:"environment" doc:"variables for references in this file, before those of the process"`
}

// Server is the outside.
type Server struct {
	Listen         []string `yaml:"listen" doc:"addresses, host:port"`
	PublicURL      string   `yaml:"public_url" doc:"URL under which users reach Weir, for links and snippets"`
	BasePath       string   `yaml:"base_path" doc:"path prefix under which all routes are served as well"`
	AllowedHosts   []string `yaml:"allowed_hosts" doc:"Host names browsers may use, beside loopback and public_url"`
	TrustedProxies []string `yaml:"trusted_proxies" doc:"networks whose X-Forwarded-For is believed"`
	MaxBody        Size     `yaml:"max_body" doc:"largest request body"`
	MaxInFlight    Size     `yaml:"max_in_flight" doc:"request bytes in flight over all calls before new ones get 503"`
	Local          bool     `yaml:"local" doc:"callers on this machine need no credential"`
	Drain          Duration `yaml:"drain" doc:"how long running streams may take to finish after SIGTERM"`
	OTLPGRPC       string   `yaml:"otlp_grpc" doc:"address of OTLP over gRPC, host:port; empty turns it off; a taken port is only logged"`
	Role           string   `yaml:"role" doc:"all; this version has no other role"`
}

// Log is logging.
type Log struct {
	Level      string            `yaml:"level" doc:"debug, info, warn or error"`
	Format     string            `yaml:"format" doc:"text or json"`
	Components map[string]string `yaml:"components" doc:"level by component, e.g. gateway: debug"`
}

// Admin is the first administrator.
type Admin struct {
	Email     string `yaml:"email" doc:"of the first administrator; default admin@localhost"`
	Password  Secret `yaml:"password" doc:"of the first administrator; generated and printed once when absent"`
	MasterKey Secret `yaml:"master_key" doc:"starts with sk-"`
	SecretKey Secret `yaml:"secret_key" doc:"encrypts stored credentials; generated under the data folder when absent"`
}

// Model is one deployment. Several with one name share its calls by weight.
type Model struct {
	Name       string            `yaml:"name" doc:"what clients call it; may hold one *"`
	Provider   string            `yaml:"provider" doc:"openai, anthropic, bedrock, or an OpenAI-compatible row"`
	Model      string            `yaml:"model" doc:"the upstream's id; * stands for what the name's * matched"`
	BaseModel  string            `yaml:"base_model" doc:"catalog name, where model hides it"`
	BaseURL    string            `yaml:"base_url" doc:"where the provider is; default: its public address"`
	APIKey     Secret            `yaml:"api_key" doc:"of the provider"`
	Headers    map[string]string `yaml:"headers" doc:"extra request headers"`
	AWS        AWS               `yaml:"aws" doc:"credentials and region, for bedrock"`
	Weight     float64           `yaml:"weight" doc:"share among deployments of the same name"`
	Timeout    Duration          `yaml:"timeout" doc:"of one whole answer"`
	DropParams bool              `yaml:"drop_params" doc:"leave out parameters the model does not take"`
	CachePoint *bool             `yaml:"cache_points" doc:"add cache points when the client sends none; default: for Claude"`
	MaxInput   int               `yaml:"max_input" doc:"tokens, overrides the catalog"`
	MaxOutput  int               `yaml:"max_output" doc:"tokens, overrides the catalog"`
	Prices     *Prices           `yaml:"prices" doc:"overrides the catalog"`
	Info       map[string]any    `yaml:"info" doc:"shown by /model/info"`

	found bool
}

// Found reports that nobody asked for the model: it is there because its provider's variables are set.
func (m *Model) Found() bool { return m.found }

// Prices are US dollars per million tokens.
type Prices struct {
	Input        float64 `yaml:"input" doc:"tokens that no cache was involved in"`
	Output       float64 `yaml:"output" doc:"answer tokens, reasoning included"`
	CacheRead    float64 `yaml:"cache_read" doc:"tokens read from the prompt cache; default: as input"`
	CacheWrite   float64 `yaml:"cache_write" doc:"tokens written to the prompt cache for 5 minutes; default: as input"`
	CacheWrite1h float64 `yaml:"cache_write_1h" doc:"tokens written for an hour; default: as cache_write"`
}

// AWS says where Bedrock's credentials come from; empty fields fall back to the usual chain.
type AWS struct {
	Region          string `yaml:"region" doc:"default: AWS_REGION, AWS_DEFAULT_REGION, AWS_REGION_NAME, the ARN, the profile"`
	AccessKeyID     string `yaml:"access_key_id" doc:"static credentials"`
	SecretAccessKey Secret `yaml:"secret_access_key" doc:"static credentials"`
	SessionToken    Secret `yaml:"session_token" doc:"of temporary static credentials"`
	Profile         string `yaml:"profile" doc:"of the shared AWS files"`
	RoleARN         string `yaml:"role_arn" doc:"role to assume with the other credentials"`
	RoleSessionName string `yaml:"role_session_name" doc:"default: AWS_ROLE_SESSION_NAME, else weir"`
	ExternalID      string `yaml:"external_id" doc:"for the assumed role"`
	WebIdentity     string `yaml:"web_identity_token_file" doc:"token to assume role_arn with"`
	STSEndpoint     string `yaml:"sts_endpoint" doc:"URL of STS, for VPC endpoints"`
	BearerToken     Secret `yaml:"bearer_token" doc:"Bedrock API key"`
}

// Routing is how calls are retried and where they fall back to.
type Routing struct {
	Retries          int                 `yaml:"retries" doc:"further tries after the first"`
	Deadline         Duration            `yaml:"deadline" doc:"for all tries of a call together, until the first content"`
	Hold             Duration            `yaml:"hold" doc:"how long a stream's status waits for the first content"`
	MaxWait          Duration            `yaml:"max_wait" doc:"longest Retry-After that is waited for"`
	FailsToCool      int                 `yaml:"fails_to_cool" doc:"failures in a row, within a minute, that start a cooldown"`
	Cooldown         Duration            `yaml:"cooldown" doc:"how long a failing deployment is left out; 0 never"`
	Fallbacks        map[string][]string `yaml:"fallbacks" doc:"model names to try after one failed"`
	ContextFallbacks map[string][]string `yaml:"context_fallbacks" doc:"when the prompt is too long"`
	ContentFallbacks map[string][]string `yaml:"content_fallbacks" doc:"when a content filter refused"`
	DefaultFallbacks []string            `yaml:"default_fallbacks" doc:"model names to try when a model has no list of its own"`
	Aliases          map[string]string   `yaml:"aliases" doc:"other names of models"`
	DropParams       bool                `yaml:"drop_params" doc:"as for a model, for all of them"`
	ReserveOutput    int                 `yaml:"reserve_output" doc:"output tokens reserved where max_tokens is not given"`
}

// Recording is what is kept.
type Recording struct {
	Bodies        bool `yaml:"bodies" doc:"record requests and answers; false keeps metadata only"`
	RetentionDays int  `yaml:"retention_days" doc:"0 keeps everything"`
	MinFreeDisk   Size `yaml:"min_free_disk" doc:"below it new calls get 503"`
	Queue         int  `yaml:"queue" doc:"finished calls waiting to be written before new ones get 503"`
}

// Ingest bounds what programs send about themselves.
type Ingest struct {
	MaxRequest Size `yaml:"max_request" doc:"largest OTLP request after decompression"`
	MaxSpans   int  `yaml:"max_spans" doc:"spans being stored at one time before further requests get 429"`
	MaxBytes   Size `yaml:"max_bytes" doc:"bytes of inputs and outputs being stored at one time before further requests get 429"`
	MetricDays int  `yaml:"metric_days" doc:"days for which data points of gen_ai metrics are kept"`
}

// Network is how upstreams are reached. Empty values fall back to HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
type Network struct {
	HTTPSProxy string `yaml:"https_proxy" doc:"URL of the proxy for https upstreams"`
	HTTPProxy  string `yaml:"http_proxy" doc:"URL of the proxy for http upstreams"`
	NoProxy    string `yaml:"no_proxy" doc:"hosts and networks reached directly, with commas"`
	CAFile     string `yaml:"ca_file" doc:"PEM file of further certificate authorities, for providers and mail"`
	// PrivateTargets are allowed in URLs that users supply.
	PrivateTargets []string `yaml:"private_targets" doc:"private networks and addresses that webhooks of alerts and S3 endpoints of exports may be at, e.g. 10.0.0.0/8; none without it"`
}

// Email is how mail is sent. Without a host there is none.
type Email struct {
	Host     string `yaml:"host" doc:"SMTP server; empty: alerts cannot be sent by e-mail"`
	Port     int    `yaml:"port" doc:"of the server; default 587, for tls: implicit 465"`
	Username string `yaml:"username" doc:"empty: no login"`
	Password Secret `yaml:"password" doc:"for the login"`
	From     string `yaml:"from" doc:"address of the sender"`
	TLS      string `yaml:"tls" doc:"starttls, implicit (from the first byte) or none"`
}

// Export is what scheduled exports may do.
type Export struct {
	Folders []string `yaml:"folders" doc:"folders of this machine that exports may be written to or below; none without it"`
}

// Index is the columnar index.
type Index struct {
	MemoryLimit Size `yaml:"memory_limit" doc:"of the index engine; answers kept for charts take up to 64 MiB more"`
}

// Telemetry is where spans of Weir's own work go. They hold routes, status codes and times, no prompts and no credentials.
type Telemetry struct {
	Endpoint    string            `yaml:"endpoint" doc:"URL of an OTLP/HTTP receiver; empty: none are made"`
	Headers     map[string]string `yaml:"headers" doc:"sent with each export, such as Authorization"`
	SampleRatio float64           `yaml:"sample_ratio" doc:"share of requests traced, 0 to 1; a caller's traceparent decides for its own"`
	Service     string            `yaml:"service" doc:"service.name of the spans"`
}

// Team and Key are objects that a file may define.
type (
	Team struct {
		ID           string   `yaml:"id" doc:"names the team in keys"`
		Alias        string   `yaml:"alias" doc:"shown to people"`
		Models       []string `yaml:"models" doc:"names or patterns its keys may call; empty: all"`
		MaxBudgetUSD *float64 `yaml:"max_budget_usd" doc:"US dollars over all its keys"`
		BudgetPeriod string   `yaml:"budget_period" doc:"such as 1d, 7d, 30d"`
	}
	Key struct {
		Key          Secret    `yaml:"key" doc:"the secret; starts with sk-"`
		Alias        string    `yaml:"alias" doc:"shown to people"`
		User         string    `yaml:"user" doc:"id of the user whose key it is"`
		Email        string    `yaml:"email" doc:"of that user"`
		Team         string    `yaml:"team" doc:"id of a team under teams"`
		Models       []string  `yaml:"models" doc:"names or patterns it may call; empty: all"`
		Expires      time.Time `yaml:"expires" doc:"time after which it is refused, RFC 3339"`
		MaxBudgetUSD *float64  `yaml:"max_budget_usd" doc:"US dollars"`
		BudgetPeriod string    `yaml:"budget_period" doc:"such as 1d, 7d, 30d; empty: the budget never resets"`
		RPM          int64     `yaml:"rpm" doc:"requests a minute; 0 no limit"`
		TPM          int64     `yaml:"tpm" doc:"tokens a minute; 0 no limit"`
		Tags         []string  `yaml:"tags" doc:"put on every call"`
	}
)

// Default is the tree before any file, variable or flag.
func Default() Config {
	return Config{
		Server: Server{
			Listen: []string{"127.0.0.1:4000"}, MaxBody: 32 << 20, MaxInFlight: 512 << 20, Drain: Duration(30 * time.Second), Role: "all",
			OTLPGRPC: "127.0.0.1:4317",
		},
		Data: "./weir-data",
		Log:  Log{Level: "info", Format: "text"},
		Routing: Routing{
			Retries: 2, Deadline: Duration(10 * time.Minute), Hold: Duration(10 * time.Second), MaxWait: Duration(30 * time.Second),
			FailsToCool: 3, Cooldown: Duration(5 * time.Second), ReserveOutput: 8192,
		},
		Recording: Recording{Bodies: true, MinFreeDisk: 256 << 20, Queue: 16384},
		Ingest:    Ingest{MaxRequest: 64 << 20, MaxSpans: 100_000, MaxBytes: 128 << 20, MetricDays: 30},
		Email:     Email{TLS: "starttls"},
		Index:     Index{MemoryLimit: 256 << 20},
		Telemetry: Telemetry{SampleRatio: 1, Service: "weir"},
	}
}
