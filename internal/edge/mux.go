package edge

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/llm"
)

// Deps is what the adapter around every handler needs.
type Deps struct {
	Auth Authenticator
	Log  *slog.Logger
	// Observe is told of every finished request, for metrics: pattern, status and duration. It may be nil.
	Observe func(pattern string, status int, took time.Duration)
	// InFlight bounds the bytes of request bodies being handled; nil = no bound.
	InFlight *Bytes
}

// NewMux builds the server's routes. Routes that share a pattern are decided by When, in order, the one without a When
// last; two of those for one pattern are a programming error and panic, like a duplicate pattern in net/http.
func NewMux(d Deps, surfaces ...Surface) *http.ServeMux {
	mux := http.NewServeMux()
	table := map[string][]Route{}
	var order []string
	for _, s := range surfaces {
		for _, r := range s.Routes() {
			if _, ok := table[r.Pattern]; !ok {
				order = append(order, r.Pattern)
			}
			table[r.Pattern] = append(table[r.Pattern], r)
		}
	}
	for _, p := range order {
		mux.Handle(p, d.dispatch(p, table[p]))
	}
	return mux
}

func (d Deps) dispatch(pattern string, routes []Route) http.Handler {
	var conditional []Route
	var fallback *Route
	for _, r := range routes {
		switch {
		case r.When != nil:
			conditional = append(conditional, r)
		case fallback != nil:
			panic("edge: two default routes for " + pattern)
		default:
			fallback = &r
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range conditional {
			if conditional[i].When(r) {
				d.serve(w, r, &conditional[i])
				return
			}
		}
		if fallback == nil {
			http.NotFound(w, r)
			return
		}
		d.serve(w, r, fallback)
	})
}

// headered is an error that has something to say in headers, whatever the envelope.
type headered interface{ ErrorHeader(h http.Header) }

func (d Deps) serve(w http.ResponseWriter, r *http.Request, route *Route) {
	start := time.Now()
	rec := &recorder{ResponseWriter: w, conn: connOf(r)}
	rec.Header()["X-Content-Type-Options"] = noSniff
	defer rec.end()
	defer func() {
		// A panic is a bug in one request; net/http would drop the connection without an answer or a useful log line.
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			d.Log.Error("handler panicked", "pattern", route.Pattern, "panic", p, "stack", stack())
			if rec.status == 0 {
				route.Fail(rec, r, fault.New(fault.Internal, "internal error"))
			}
		}
		if d.Observe != nil {
			d.Observe(route.Pattern, rec.statusCode(), time.Since(start))
		}
	}()
	err := d.run(rec, r, route)
	if err == nil {
		return
	}
	if rec.status == 0 {
		var h headered
		if errors.As(err, &h) {
			h.ErrorHeader(rec.Header())
		}
		setRetryAfter(rec.Header(), err)
		drain(rec, r)
		route.Fail(rec, r, err)
	}
	d.logFailure(r, route, rec, err)
}

// Bounds on reading what is left of a refused request.
const (
	drainBytes = 256 << 20
	drainFor   = 10 * time.Second
)

// drain reads the rest of a refused request, since most clients send all of a body before they read: without it they
// see a reset connection, which they try again, instead of the answer.
func drain(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 || r.Body == nil || r.Header.Get("Expect") != "" || r.Context().Err() != nil {
		return
	}
	rc := http.NewResponseController(w)
	if rc.SetReadDeadline(time.Now().Add(drainFor)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, r.Body, drainBytes)
	_ = rc.SetReadDeadline(time.Time{})
}

func (d Deps) run(w http.ResponseWriter, r *http.Request, route *Route) error {
	release, err := d.InFlight.take(w, r)
	if err != nil {
		return err
	}
	defer release()
	if route.Access != Public {
		who, err := d.Auth.Authenticate(r)
		if err != nil {
			return err
		}
		if route.Access == Admin && !who.IsAdmin() {
			return fault.New(fault.Forbidden, "only administrators may do this")
		}
		r = r.WithContext(WithWho(r.Context(), who))
	}
	return route.Handle(w, r)
}

// setRetryAfter tells clients when to come back; agents retry by it, and without it they guess.
func setRetryAfter(h http.Header, err error) {
	status := Status(err)
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable || h.Get("Retry-After") != "" {
		return
	}
	after := time.Second
	var f *fault.Error
	if errors.As(err, &f) {
		if f.Kind == fault.BudgetExceeded && f.RetryAfter == 0 {
			return // waiting does not help
		}
		if f.RetryAfter > 0 {
			after = f.RetryAfter
		}
	}
	h.Set("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
}

func (d Deps) logFailure(r *http.Request, route *Route, rec *recorder, err error) {
	status, kind := rec.statusCode(), string(fault.KindOf(err))
	level := slog.LevelInfo
	var up *llm.Error
	switch {
	case errors.As(err, &up):
		kind = "upstream"
	case rec.status != 0 && errors.As(err, new(*net.OpError)): // a client that hung up, or stopped reading
		kind = string(fault.Canceled)
	case kind == string(fault.Internal):
		level = slog.LevelError
	case route.Access == Public && kind == string(fault.RateLimited): // anybody could fill the log
		level = slog.LevelDebug
	}
	d.Log.Log(r.Context(), level, "request failed",
		"method", r.Method, "pattern", route.Pattern, "status", status, "kind", kind, "error", clip.To(loggable(err), 500))
}

// loggable is what an error says, unless it repeats a filter or a statement: what people search for, and what the engine
// found there, may be parts of prompts.
func loggable(err error) string {
	var f *fault.Error
	if errors.As(err, &f) && f.Kind == fault.Invalid && (f.Field == "filter" || f.Field == "query") {
		return "the " + f.Field + " is not valid"
	}
	return err.Error()
}

// noSniff keeps browsers from taking recorded text for a page.
var noSniff = []string{"nosniff"}

// answerTime is how long a client may take to read an answer. Streams set deadlines of their own for each write.
const answerTime = 10 * time.Minute

// recorder remembers the status and bounds the time to write. It passes Flush and deadlines through by Unwrap.
type recorder struct {
	http.ResponseWriter
	status int
	conn   *heldConn // nil if others share it
}

func (w *recorder) begin(status int) {
	if w.status == 0 {
		w.status = status
		w.deadline(time.Now().Add(answerTime))
	}
}

// end takes back any deadline: the connection's next request has its own.
func (w *recorder) end() {
	if w.status != 0 {
		w.deadline(time.Time{})
	}
}

func (w *recorder) deadline(t time.Time) {
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(t) // not every writer has deadlines
}

func (w *recorder) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) statusCode() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
