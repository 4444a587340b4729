// Package demo makes a Weir that can be judged without a provider: models served by the fake upstream, and an hour of
// traffic that agents, scripts and failures would leave behind. Everything goes through the real surfaces and gateway;
// only the clock is set back.
package demo

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"weir/internal/config"
	"weir/internal/fakeupstream"
)

// Upstream is the fake provider on this machine.
type Upstream struct {
	*fakeupstream.Server
	URL string
}

// StartUpstream serves the fake on a free loopback port.
func StartUpstream() (*Upstream, error) {
	s := fakeupstream.New(fakeupstream.Options{Latency: 120 * time.Millisecond, ChunkDelay: 8 * time.Millisecond})
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return &Upstream{s, url}, nil
}

// Models are deployments of the fake under the names people would choose.
func (u *Upstream) Models() []config.Model {
	aws := config.AWS{Region: "us-east-1", AccessKeyID: fakeupstream.DefaultCredential.AccessKey, SecretAccessKey: config.Secret(fakeupstream.DefaultCredential.Secret)}
	bedrock := func(name, model string) config.Model {
		return config.Model{Name: name, Provider: "bedrock", Model: model, BaseURL: u.URL, AWS: aws}
	}
	return []config.Model{
		bedrock("claude-sonnet", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
		bedrock("claude-haiku", "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
		bedrock("claude-opus", "us.anthropic.claude-opus-4-7"),
		{Name: "claude-opus-direct", Provider: "anthropic", Model: "claude-opus-4-7", BaseURL: u.URL, APIKey: "sk-ant-demo"},
		{Name: "gpt-4o", Provider: "openai", Model: "gpt-4o", BaseURL: u.URL + "/v1", APIKey: "sk-demo"},
		{Name: "gpt-4o-mini", Provider: "openai", Model: "gpt-4o-mini", BaseURL: u.URL + "/v1", APIKey: "sk-demo"},
	}
}

// Clock is a clock that runs ahead on its own: each look at it costs a little time, as work would. It starts in the
// past and is set forward between calls.
type Clock struct {
	mu  sync.Mutex
	at  time.Time
	rnd *rand.Rand
	// pace is how much one look costs on average; slower models have a larger one.
	pace time.Duration
}

// NewClock starts at a time.
func NewClock(at time.Time) *Clock {
	return &Clock{at: at, rnd: rand.New(rand.NewPCG(1, 2)), pace: 300 * time.Millisecond}
}

// Now advances and tells the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time.Duration(float64(c.pace) * (0.4 + c.rnd.ExpFloat64()*0.7)))
	return c.at
}

func (c *Clock) set(at time.Time, pace time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.pace = at, pace
}

// Director plays the traffic.
type Director struct {
	Upstream *Upstream
	Clock    *Clock
	Past     http.Handler // routes of the surfaces over a gateway that uses Clock
	Present  http.Handler // the same over the real gateway
	Log      *slog.Logger
}

// Span is how far back the traffic reaches.
const Span = time.Hour

// Play makes the traffic of the past, oldest first, and then goes on with a call now and then until ctx ends, so that
// the live view has something to show.
func (d *Director) Play(ctx context.Context, past bool) {
	if past {
		end := time.Now()
		for i, s := range d.scenes(end.Add(-Span), end.Add(-10*time.Second)) {
			if ctx.Err() != nil {
				return
			}
			d.Clock.set(s.at, s.pace)
			if err := s.play(ctx, s); err != nil {
				d.Log.Debug("a demo call ended as planned or not", "scene", i, "error", err)
			}
		}
	}
	t := time.NewTicker(live)
	defer t.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			q := questions[i%len(questions)]
			_, _ = call(ctx, d.Present, "/v1/chat/completions", People[q.person], q.agent, q.body(i))
		}
	}
}

// call sends one request through a surface and returns the answer's body.
func call(ctx context.Context, h http.Handler, path string, p person, agent string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+Secret(p.Alias))
	r.Header.Set("User-Agent", agent)
	r.RemoteAddr = "127.0.0.1:50000"
	w := &buffer{header: http.Header{}}
	h.ServeHTTP(w, r)
	if w.status >= 400 {
		return w.Bytes(), fmt.Errorf("status %d", w.status)
	}
	return w.Bytes(), nil
}

// buffer is a ResponseWriter in memory.
type buffer struct {
	bytes.Buffer
	header http.Header
	status int
}

func (b *buffer) Header() http.Header { return b.header }
func (b *buffer) WriteHeader(s int)   { b.status = s }
func (b *buffer) Flush()              {}

// person is a caller of the demo.
type person struct {
	Alias, Email, Team string
}

// People are the callers, each with a key of that alias.
var People = []person{
	{"backend-cline", "backend@example.com", "Platform"},
	{"frontend-cline", "frontend@example.com", "Product"},
	{"data-notebooks", "data@example.com", "Data"},
	{"support-bot", "support@example.com", "Product"},
}

// Secret is the key of a person. It is no secret: a demo listens on this machine only.
func Secret(alias string) string { return "sk-demo-" + alias }
