package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/pricing"
	"weir/internal/span"
)

// exchange is one call on its way through.
type exchange struct {
	g     *Gateway
	call  *Call
	table *Table
	start time.Time
	span  *span.Span

	hub       *llm.Request // decoded on first need
	hubErr    error
	restored  bool
	settle    func(money.Nano, int64)
	reserved  money.Nano
	deploy    *Deployment // the one that answered, or was tried last
	fallbacks int
	began     bool
	sent      bool // the upstream has a request that it did not refuse
	refused   bool // by the recorder, which counts it: a record would need the very room that is short
	finishing sync.Once
}

// maxModelName bounds what is quoted in errors, headers and records. ARNs have up to some two hundred bytes.
const maxModelName = 1 << 10

func (x *exchange) run(ctx context.Context) (*Answer, error) {
	x.g.inflight.Add(1)
	if err := x.g.deps.Recorder.Admit(); err != nil {
		x.refused = true
		return nil, err
	}
	if len(x.call.Model) > maxModelName {
		return nil, fault.Bad("model", "the model name is longer than %d bytes", maxModelName)
	}
	if err := x.table.allows(x.call.Who, x.call.Model); err != nil {
		return nil, err
	}
	candidates, err := x.g.find(x.table, x.call.Model)
	if err != nil {
		return nil, err
	}
	if err := x.reserve(candidates[0]); err != nil {
		return nil, err
	}
	attemptCtx, lift, cancel := x.limit(ctx)
	a, err := x.tryGroups(attemptCtx, candidates)
	lift()
	if err != nil {
		if cause := context.Cause(attemptCtx); ctx.Err() == nil && errors.Is(cause, context.DeadlineExceeded) {
			err = asFault(context.DeadlineExceeded)
		}
		cancel()
		return nil, err
	}
	if a.Stream == nil {
		cancel()
		x.remember(a.response)
		x.span.Upstream = requestID(a.Header)
		a.Cost = x.finish(a.response, a.Body, nil)
		return a, nil
	}
	a.Stream.cancel = cancel
	return a, nil
}

// limit sets the call's deadline. It covers the way to the first content: a stream that flows may take as long as it takes,
// so its deadline can be lifted. The other one is known to the upstreams, which need none beside it.
func (x *exchange) limit(ctx context.Context) (limited context.Context, lift, cancel func()) {
	d := x.table.Policy.Deadline
	if !x.call.Stream {
		limited, cancel := context.WithTimeout(ctx, d)
		return limited, func() {}, cancel
	}
	limited, end := context.WithCancelCause(ctx)
	timer := time.AfterFunc(d, func() { end(context.DeadlineExceeded) })
	return limited, func() { timer.Stop() }, func() { end(nil) }
}

// tryGroups goes through the call's model and then its fallbacks.
func (x *exchange) tryGroups(ctx context.Context, candidates []*Deployment) (*Answer, error) {
	a, err := x.tryGroup(ctx, candidates)
	if err == nil || ctx.Err() != nil {
		return a, err
	}
	for _, group := range x.fallbackGroups(err) {
		if group == x.call.Model || x.table.allows(x.call.Who, group) != nil {
			continue
		}
		next, findErr := x.g.find(x.table, group)
		if findErr != nil {
			continue
		}
		x.fallbacks++
		var again error
		if a, again = x.tryGroup(ctx, next); again == nil {
			return a, nil
		}
		if ctx.Err() != nil {
			return nil, again
		}
		err = again
	}
	return nil, err
}

// fallbackGroups are the groups to try after err. A request that is itself wrong is not sent elsewhere, except where a
// list exists for its kind of trouble.
func (x *exchange) fallbackGroups(err error) []string {
	p, model := x.table.Policy, x.call.Model
	if name := x.table.Name(model); !p.hasFallbacks(model) {
		model = name
	}
	var up *llm.Error
	if !errors.As(err, &up) {
		return nil
	}
	switch {
	case up.IsContextOverflow() && len(p.ContextFallbacks[model]) > 0:
		return p.ContextFallbacks[model]
	case up.IsContentRefusal() && len(p.ContentFallbacks[model]) > 0:
		return p.ContentFallbacks[model]
	case !up.Retryable() && !up.Misconfigured():
		return nil
	case len(x.call.Facts.Fallbacks) > 0:
		return x.call.Facts.Fallbacks
	case len(p.Fallbacks[model]) > 0:
		return p.Fallbacks[model]
	}
	return p.DefaultFallbacks
}

// tryGroup tries the deployments of one group until one answers, tries run out, or an error is final.
func (x *exchange) tryGroup(ctx context.Context, candidates []*Deployment) (*Answer, error) {
	tried := map[*Deployment]int{}
	for n := 0; ; n++ {
		d := x.g.pick(candidates, tried, x.g.deps.Now())
		tried[d]++
		a, err := x.tryOne(ctx, d)
		if err == nil {
			return a, nil
		}
		var up *llm.Error
		if ctx.Err() != nil || !errors.As(err, &up) || !up.Retryable() || n >= x.table.Policy.Retries {
			return nil, err
		}
		if err := x.wait(ctx, n, up, len(tried) < len(candidates)); err != nil {
			return nil, err
		}
	}
}

// wait pauses before the next try: not at all when another deployment is left, else as long as the upstream asked, or
// half a second doubling. An upstream that asks for more than MaxWait has its error passed on instead.
func (x *exchange) wait(ctx context.Context, n int, up *llm.Error, another bool) error {
	if another {
		return nil
	}
	d := up.RetryAfter
	if d == 0 {
		d = min(time.Second/2<<n, 8*time.Second)
	}
	if d > x.table.Policy.MaxWait {
		return up
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tryOne makes one attempt and notes it in the span and the deployment's health.
func (x *exchange) tryOne(ctx context.Context, d *Deployment) (*Answer, error) {
	x.deploy = d
	a, err := x.attempt(ctx, d)
	if err != nil {
		return nil, err
	}
	if err := x.begin(d); err != nil {
		return nil, err
	}
	began := x.g.deps.Now()
	x.sent = true
	answer, err := x.dial(ctx, d, a)
	now := x.g.deps.Now()
	try := span.Try{Deployment: d.ID, Model: d.Target.Model, Start: began.Sub(x.start), Took: now.Sub(began), HTTP: http.StatusOK}
	h := x.g.healthOf(d)
	if err != nil {
		x.sent = ctx.Err() != nil // refused or failed: nothing to pay for
		err = asFault(ended(ctx, err))
		try.HTTP = 0
		var up *llm.Error
		if errors.As(err, &up) {
			try.HTTP = up.Status
			if up.Retryable() || up.Misconfigured() {
				h.failed(now, x.table.Policy, up.RetryAfter, up.Message)
			}
		}
		try.Error = clip.To(shown(err), 500)
	} else if answer.Stream == nil {
		h.ok(now)
	}
	x.span.Tries = append(x.span.Tries, try)
	if err != nil {
		return nil, err
	}
	answer.Attempts, answer.Fallbacks = len(x.span.Tries)-1, x.fallbacks
	return answer, nil
}

// ended tells the end of the total deadline from a client that went away: both cancel ctx.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return err
}

// begin notes the intent once per call, before the first dial.
func (x *exchange) begin(d *Deployment) error {
	if x.began {
		return nil
	}
	x.began = true
	s := x.span
	return x.g.deps.Recorder.Begin(Intent{
		Trace: s.Trace, Span: s.ID, Project: s.Project, Key: s.Key, User: s.User, Team: s.Team, Group: s.Group,
		Deployment: d.ID, Start: x.start, Reserved: x.reserved,
	})
}

// attempt prepares the request for one deployment.
func (x *exchange) attempt(_ context.Context, d *Deployment) (*Attempt, error) {
	c := x.call
	a := &Attempt{
		Dialect: c.Dialect, Stream: c.Stream, As: c.Model, Header: c.Header, Model: d.Model,
		Drop:        x.table.Policy.Drop || d.Drop || c.Facts.Drop,
		CachePoints: d.cachePoints(),
	}
	if d.Upstream.Speaks(c.Dialect) {
		a.Native = c.Body
		return a, nil
	}
	if x.hub == nil && x.hubErr == nil {
		x.hub, x.hubErr = c.Decode()
	}
	if x.hubErr != nil {
		return nil, x.hubErr
	}
	if d.Model.Quirks.Claude && !x.restored {
		x.restored = true
		x.g.thinking.restore(x.call.Who, x.hub)
	}
	hub := *x.hub
	hub.Drop, hub.Stream = a.Drop, c.Stream
	if d.Model.Quirks.Claude {
		prepareThinking(&hub, d.Model.Quirks.Adaptive)
	}
	if a.CachePoints {
		addCachePoints(&hub)
	}
	a.Hub = &hub
	return a, nil
}

// dial sends the attempt and waits until there is something to promise the client.
func (x *exchange) dial(ctx context.Context, d *Deployment, a *Attempt) (*Answer, error) {
	if d.Timeout > 0 && !a.Stream {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.Timeout)
		defer cancel()
	}
	res, err := d.Upstream.Chat(ctx, a)
	if err != nil {
		return nil, err
	}
	answer := &Answer{
		Trace: x.span.Trace, Call: x.span.Trace, Model: x.call.Model, Deployment: d, Status: http.StatusOK, Header: res.Header,
	}
	if res.Stream != nil {
		s := &Stream{x: x, src: res.Stream, native: a.Native != nil, header: res.Header}
		if err := s.hold(ctx, x.table.Policy.Hold); err != nil {
			_ = res.Stream.Close()
			return nil, err
		}
		answer.Stream = s
		return answer, nil
	}
	answer.Body = res.Body
	if answer.Body == nil {
		if answer.Body, err = x.call.Encode(res.Response, x.call.Model); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "answer could not be encoded")
		}
	}
	answer.response = res.Response
	return answer, nil
}

// reserve holds budget for the dearest outcome that is likely: prompt bytes/3 at the dearest input rate, plus the
// output asked for (or a default) at the output rate.
func (x *exchange) reserve(d *Deployment) error {
	prompt := int64(len(x.call.Body)/3 + 1)
	out := int64(x.table.Policy.ReserveOutput)
	if n := int64(x.call.Facts.MaxTokens); n > 0 {
		out = n
	}
	if m := int64(d.Model.MaxOutput); m > 0 {
		out = min(out, m)
	}
	x.reserved = pricing.DearestInput(d.Model.Prices).Of(prompt) + pricing.DearestOutput(d.Model.Prices).Of(out)
	if x.g.deps.Limiter == nil {
		return nil
	}
	settle, err := x.g.deps.Limiter.Reserve(x.call.Who, x.reserved, prompt)
	if err != nil {
		return err
	}
	x.settle = settle
	return nil
}

// remember keeps thinking signatures for the next turn, when the client's dialect loses them.
func (x *exchange) remember(r *llm.Response) {
	if r != nil && x.call.Dialect != llm.AnthropicMessages {
		x.g.thinking.save(x.call.Who, x.span.Trace, r)
	}
}

// finish closes the books of the call, once: usage, cost, budget, span, record. r is what was answered (perhaps in
// part), body the answer in the client's dialect.
func (x *exchange) finish(r *llm.Response, body []byte, err error) (cost pricing.Cost) {
	x.finishing.Do(func() {
		cost = x.close(r, body, err)
		x.g.inflight.Add(-1)
	})
	return cost
}

func (x *exchange) close(r *llm.Response, body []byte, err error) pricing.Cost {
	s := x.span
	s.End = x.g.deps.Now().UTC()
	s.Status, s.HTTP = span.OK, http.StatusOK
	if d := x.deploy; d != nil {
		s.Model, s.Provider, s.Deployment = d.Target.Model, d.Target.Provider, d.ID
	}
	if r == nil && x.sent && (fault.Is(err, fault.Canceled) || timedOut(err)) {
		// The upstream has had the prompt, and bills it although nobody waits for the answer.
		r = &llm.Response{Usage: llm.Usage{Input: x.estimateInput(), Estimated: true}}
	}
	if r != nil {
		s.Finish = r.RawFinish
		x.price(r)
	}
	if err != nil {
		describe(s, asFault(err))
	}
	s.CacheHit = s.Usage.CacheRead > 0
	if x.settle != nil {
		x.settle(s.Cost.Total, s.Usage.Total())
	}
	if x.refused {
		return s.Cost
	}
	rec := &Record{Span: s, Charge: x.began && !s.Usage.IsZero(), NewTrace: x.call.Facts.Trace == ""}
	limited := fault.Is(err, fault.RateLimited) || fault.Is(err, fault.BudgetExceeded)
	if x.g.deps.Bodies() && !limited { // a client over its limits must not fill the disk
		rec.Request, rec.Response = x.call.Body, body
	}
	cost := s.Cost // the span belongs to the recorder from here on
	x.g.deps.Recorder.End(rec)
	return cost
}

// timedOut reports that the call's deadline ended it.
func timedOut(err error) bool {
	up, ok := errors.AsType[*llm.Error](err)
	return ok && up.Type == llm.TypeTimeout
}

// price fills usage and cost. An answer without any usage is estimated, so that it is not free.
func (x *exchange) price(r *llm.Response) {
	if r.Usage.IsZero() && len(r.Parts) > 0 {
		r.Usage = llm.Usage{Input: x.estimateInput(), Output: r.EstimateOutput(), Estimated: true}
	}
	x.span.Usage = r.Usage
	x.span.Cost = pricing.Of(r.Usage, x.deploy.Model.Prices)
}

func (x *exchange) estimateInput() int64 { return int64(len(x.call.Body)/4 + 1) }

// shown is what readers of the record may see of an error: a private cause can name hosts and accounts.
func shown(err error) string {
	var up *llm.Error
	var f *fault.Error
	switch {
	case errors.As(err, &up):
		return up.Message
	case errors.As(err, &f):
		return f.Msg
	}
	return "internal error"
}

// maxErrorText bounds messages in the record; they may quote what a client sent.
const maxErrorText = 8 << 10

// describe writes an error into a span.
func describe(s *span.Span, err error) {
	s.Status = span.Error
	var up *llm.Error
	var f *fault.Error
	defer func() { s.ErrorText = clip.To(s.ErrorText, maxErrorText) }()
	switch {
	case errors.As(err, &up):
		s.HTTP, s.ErrorType, s.ErrorText, s.ErrorBody = up.HTTPStatus(), up.Type, up.Message, string(up.Body)
		if s.ErrorType == "" {
			s.ErrorType = fmt.Sprintf("http_%d", up.Status)
		}
		if s.Provider == "" {
			s.Provider = up.Provider
		}
	case errors.As(err, &f):
		s.HTTP, s.ErrorType, s.ErrorText = f.Kind.HTTPStatus(), string(f.Kind), f.Msg
		if f.Kind == fault.Canceled {
			s.Status = span.Canceled
		}
	default:
		s.HTTP, s.ErrorType, s.ErrorText = http.StatusInternalServerError, string(fault.Internal), "internal error"
	}
}

func requestID(h http.Header) string {
	for _, name := range []string{"X-Amzn-Requestid", "Request-Id", "X-Request-Id"} {
		if v := h.Get(name); v != "" {
			return strings.Clone(clip.To(v, 100)) // the record must not hold the head of the answer
		}
	}
	return ""
}
