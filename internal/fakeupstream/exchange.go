package fakeupstream

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// dialect is one wire format. Implementations hold no state.
type dialect interface {
	// auth checks the caller's credential and returns its fingerprint.
	auth(s *Server, r *http.Request, body []byte) (string, *refusal)
	// parse validates a request body and reduces it to what the script and the cache need.
	parse(s *Server, rt target, r *http.Request, body obj) (*ask, *refusal)
	// refuse writes an error answer.
	refuse(w http.ResponseWriter, id string, f *refusal)
	// whole is the body of an unstreamed answer.
	whole(a *ask, ans *answer) []byte
	// events are the framed events of a streamed answer.
	events(a *ask, ans *answer) [][]byte
	// exception is a framed error event for the middle of a stream.
	exception(kind, msg string) []byte
	// count is the body of a token count.
	count(n int64) []byte
	// streamType is the Content-Type of a stream.
	streamType() string
	// idHeader is the name of the header that carries the request id.
	idHeader() string
	// bad is the refusal of a body that is not a JSON object.
	bad(err error) *refusal
}

// refusal is an error answer in no particular envelope. Kind is the dialect's own error class; empty = by status.
type refusal struct {
	status     int
	kind       string
	msg        string
	param      string
	code       string
	retryAfter string
}

// exchange is one call on its way through the server.
type exchange struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	rt    target
	body  []byte
	entry *Entry
	fault Fault
}

func (x *exchange) close() {
	gone := x.r.Context().Err() != nil
	x.s.journal.update(func() {
		x.entry.Done = true
		x.entry.Disconnected = x.entry.Disconnected || gone
		x.entry.Took = time.Since(x.entry.Time)
	})
}

func (x *exchange) readFailed(err error) {
	if tooLarge(err) {
		x.refuse(&refusal{status: http.StatusRequestEntityTooLarge, kind: "request_too_large", msg: "Request exceeds the maximum size"})
	}
}

func (x *exchange) refuse(f *refusal) {
	x.s.journal.update(func() { x.entry.Status, x.entry.Error = f.status, f.msg })
	x.s.stats.refused(x.entry.Model)
	if f.retryAfter != "" {
		x.w.Header().Set("Retry-After", f.retryAfter)
	}
	x.rt.dialect.refuse(x.w, x.entry.RequestID, f)
}

func (x *exchange) serve() {
	d := x.rt.dialect
	cred, bad := d.auth(x.s, x.r, x.body)
	if bad != nil {
		x.refuse(bad)
		return
	}
	if x.rt.op == opModels {
		x.answer(http.StatusOK, x.s.modelList(x.rt.wire))
		return
	}
	var body obj
	if err := json.Unmarshal(x.body, &body); err != nil {
		x.refuse(d.bad(err))
		return
	}
	a, bad := d.parse(x.s, x.rt, x.r, body)
	if a != nil {
		x.s.journal.update(func() { x.entry.Model, x.entry.Stream = a.modelID, a.stream })
	}
	if bad == nil && x.rt.op == opChat {
		bad = a.overflow(x.rt.wire)
	}
	if bad != nil {
		x.refuse(bad)
		return
	}
	a.cred = cred
	x.run(a)
}

// run answers a request that the real service would accept.
func (x *exchange) run(a *ask) {
	if x.rt.op == opCount {
		x.answer(http.StatusOK, x.rt.dialect.count(a.tokens()))
		return
	}
	f, err := x.s.faults.pick(x.r.Header.Get("X-Fake"), a, x.rt.wire)
	if err != nil {
		x.refuse(&refusal{status: http.StatusBadRequest, msg: err.Error()})
		return
	}
	x.fault = f
	x.s.journal.update(func() { x.entry.Fault = f.String() })
	if x.before(f) {
		return
	}
	ans := x.s.compose(a, f)
	ans.id = x.entry.RequestID
	ans.usage = x.s.cache.charge(a)
	ans.usage.Output, ans.usage.Reasoning = ans.outputTokens(a)
	x.s.stats.add(a.modelID, ans.usage)
	x.s.journal.update(func() { x.entry.Usage = ans.usage })
	x.deliver(a, ans)
}

func (x *exchange) answer(status int, body []byte) {
	x.s.journal.update(func() { x.entry.Status = status })
	h := x.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set(x.rt.dialect.idHeader(), x.entry.RequestID)
	x.w.WriteHeader(status)
	x.w.Write(body)
}
