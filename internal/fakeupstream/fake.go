// Package fakeupstream stands in for model providers: OpenAI chat, Anthropic messages, and Bedrock Converse and
// InvokeModel. It is strict: it refuses what the real services refuse, in their wording, verifies signatures, counts
// prompt caching, and misbehaves on request. Its validation is written against the services' documents and shares no
// code with Weir's encoders, so that it cannot inherit their mistakes.
package fakeupstream

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Credential is one AWS identity the fake knows. Token is the session token that must come with it, if any.
type Credential struct{ AccessKey, Secret, Token string }

// DefaultCredential is accepted when Options.AWS is empty: the example pair of the AWS documentation.
var DefaultCredential = Credential{AccessKey: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}

// Options configure a Server. The zero value is a strict server with instant answers.
type Options struct {
	Keys     []string     // accepted API keys (Bearer and x-api-key, all dialects); empty = any non-empty key
	AWS      []Credential // accepted for SigV4; empty = DefaultCredential
	Region   string       // the region a signature must be scoped to; empty = any
	Models   []Model      // known beside the built-in families
	AnyModel bool         // unknown model ids are served as a model without special rules

	Secret         []byte           // signs thinking blocks; empty = a fixed one
	MinCacheTokens int              // shortest cacheable prefix; 0 = 1024
	Now            func() time.Time // clock of cache lifetimes and signature ages; nil = time.Now

	Latency    time.Duration // before the first byte of every answer
	ChunkDelay time.Duration // between stream events
	Faults     []Fault       // active from the start, as if posted to /_fake/faults

	JournalSize int // calls remembered, oldest dropped; 0 = 512

	// Fast answers every call with bytes computed once: no validation, no journal, no statistics. For benchmarks.
	Fast       bool
	FastBytes  int // length of the fast answer's text; 0 = 1024
	FastChunks int // text events of the fast stream; 0 = 200
}

// Server is a fake provider. It is an http.Handler; Start serves it over HTTP/1.1 and cleartext HTTP/2.
type Server struct {
	opt     Options
	aws     []Credential
	models  map[string]Model
	cache   *prefixCache
	signer  signer
	journal *journal
	stats   *stats
	faults  *faults
	fast    map[string]fastAnswer
	seq     atomic.Int64

	mu   sync.Mutex
	http *http.Server
	done chan struct{} // closed by Stop; ends calls that hang
	once sync.Once
}

var _ http.Handler = (*Server)(nil)

// maxBody bounds a request, as the real services do (Bedrock: 25 MB).
const maxBody = 32 << 20

// New returns a Server that is ready to handle requests.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if len(o.Secret) == 0 {
		o.Secret = []byte("a fixed secret, so that signatures survive a restart")
	}
	s := &Server{
		opt: o, aws: o.AWS, models: map[string]Model{}, cache: newPrefixCache(o.MinCacheTokens, o.Now),
		signer: signer{key: o.Secret}, journal: newJournal(o.JournalSize), stats: newStats(),
		faults: newFaults(o.Faults), done: make(chan struct{}),
	}
	if len(s.aws) == 0 {
		s.aws = []Credential{DefaultCredential}
	}
	for _, m := range o.Models {
		s.models[m.ID] = m
	}
	if o.Fast {
		s.fast = s.fastAnswers()
	}
	return s
}

// Start serves on addr ("127.0.0.1:0" for any free port) and returns the base URL. Stop ends it.
func (s *Server) Start(addr string) (string, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 30 * time.Second, Protocols: new(http.Protocols)}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	s.mu.Lock()
	s.http = srv
	s.mu.Unlock()
	go srv.Serve(ln) //nolint:errcheck // ends with Stop, which closes the listener
	return "http://" + ln.Addr().String(), nil
}

// Stop closes the listener and every connection. It may be called more than once, and without Start.
func (s *Server) Stop() {
	s.once.Do(func() { close(s.done) })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil {
		s.http.Close()
	}
}

// Journal is what was asked and answered, oldest first.
func (s *Server) Journal() []Entry { return s.journal.list() }

// Stats is what was billed since the start or the last Reset, by model id as requested.
func (s *Server) Stats() map[string]Totals { return s.stats.all() }

// Reset forgets journal, statistics, cached prefixes, counters of markers, and faults (also those of Options).
func (s *Server) Reset() {
	s.journal.reset()
	s.stats.reset()
	s.cache.reset()
	s.faults.reset()
}

// AddFault makes calls misbehave until the fault is used up or Reset is called.
func (s *Server) AddFault(f Fault) { s.faults.add(f) }

// ServeHTTP answers a provider call or a control call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_fake/") {
		s.control(w, r)
		return
	}
	rt, ok := route(r)
	if !ok {
		http.Error(w, "404 page not found", http.StatusNotFound)
		return
	}
	if s.fast != nil && s.serveFast(w, r, rt) {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	x := &exchange{s: s, w: w, r: r, rt: rt, body: body}
	x.entry = s.journal.open(r, rt, body)
	defer x.close()
	if err != nil {
		x.readFailed(err)
		return
	}
	x.serve()
}

// op is what a path asks for.
type op string

const (
	opChat   op = "chat"
	opCount  op = "count"
	opModels op = "models"
)

// target is a routed request.
type target struct {
	wire    string // name of the dialect, also in journal and fault filters
	op      op
	model   string // from the path, unescaped; empty where the body names it
	stream  bool   // the path asks for a stream
	dialect dialect
}

func route(r *http.Request) (target, bool) {
	p := r.URL.EscapedPath()
	switch {
	case r.Method == http.MethodPost && (p == "/v1/chat/completions" || p == "/chat/completions"):
		return target{wire: "openai", op: opChat, dialect: openAI{}}, true
	case r.Method == http.MethodPost && p == "/v1/messages":
		return target{wire: "anthropic", op: opChat, dialect: anthropic{}}, true
	case r.Method == http.MethodPost && p == "/v1/messages/count_tokens":
		return target{wire: "anthropic", op: opCount, dialect: anthropic{}}, true
	case r.Method == http.MethodGet && (p == "/v1/models" || p == "/models"):
		return modelsTarget(r), true
	case r.Method == http.MethodPost && strings.HasPrefix(p, "/model/"):
		return routeBedrock(p)
	}
	return target{}, false
}

func modelsTarget(r *http.Request) target {
	if r.Header.Get("anthropic-version") != "" {
		return target{wire: "anthropic", op: opModels, dialect: anthropic{}}
	}
	return target{wire: "openai", op: opModels, dialect: openAI{}}
}

// fingerprint names a credential in the journal and in cache keys without revealing it.
func fingerprint(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	const hexdigits = "0123456789abcdef"
	var b [12]byte
	for i := range 6 {
		b[2*i], b[2*i+1] = hexdigits[sum[i]>>4], hexdigits[sum[i]&15]
	}
	return string(b[:])
}

func tooLarge(err error) bool {
	var e *http.MaxBytesError
	return errors.As(err, &e)
}

// wait sleeps, and reports false when the client went away or the server stopped first.
func (s *Server) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-s.done:
	}
	return false
}

// ParseCredential reads "ID:SECRET" or "ID:SECRET:TOKEN".
func ParseCredential(s string) (Credential, error) {
	p := strings.SplitN(s, ":", 3)
	if len(p) < 2 || p[0] == "" || p[1] == "" {
		return Credential{}, errors.New("a credential is written ID:SECRET or ID:SECRET:TOKEN")
	}
	c := Credential{AccessKey: p[0], Secret: p[1]}
	if len(p) == 3 {
		c.Token = p[2]
	}
	return c, nil
}
