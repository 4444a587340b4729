package fakeupstream

import (
	"bytes"
	"net/http"
	"strconv"
)

// before does what a fault asks for ahead of any answer, and reports whether that was all.
func (x *exchange) before(f Fault) bool {
	s, ctx := x.s, x.r.Context()
	if !s.wait(ctx, s.opt.Latency+f.TTFT) {
		x.gone()
		return true
	}
	switch {
	case f.Hang:
		x.hang()
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Status >= 400:
		x.refuse(&refusal{status: f.Status, kind: f.Kind, msg: faultText(f), retryAfter: f.RetryAfter})
	case f.Garbage:
		x.answer(http.StatusOK, []byte("<html>502 Bad Gateway\x00\xff\xfe</html>"))
	case f.Empty && !x.entry.Stream:
		x.answer(http.StatusOK, []byte("{}"))
	default:
		return false
	}
	return true
}

func faultText(f Fault) string {
	if f.Message != "" {
		return f.Message
	}
	switch f.Status {
	case http.StatusTooManyRequests:
		return "Too many requests, please wait before trying again."
	case http.StatusServiceUnavailable, 529:
		return "Overloaded"
	case http.StatusRequestTimeout:
		return "The request timed out."
	}
	return "The system encountered an unexpected error during processing. Try your request again."
}

func (x *exchange) gone() {
	x.s.journal.update(func() { x.entry.Disconnected = true })
}

// hang keeps the call open until the client goes away or the server stops.
func (x *exchange) hang() {
	select {
	case <-x.r.Context().Done():
		x.gone()
	case <-x.s.done:
	}
}

func (x *exchange) deliver(a *ask, ans *answer) {
	if !a.stream {
		x.answer(http.StatusOK, x.rt.dialect.whole(a, ans))
		return
	}
	h := x.w.Header()
	h.Set("Content-Type", x.rt.dialect.streamType())
	h.Set("Cache-Control", "no-cache")
	h.Set(x.rt.dialect.idHeader(), x.entry.RequestID)
	x.s.journal.update(func() { x.entry.Status = http.StatusOK })
	x.w.WriteHeader(http.StatusOK)
	if x.fault.Empty {
		return
	}
	x.stream(x.rt.dialect.events(a, ans))
}

// stream writes events at the asked pace and breaks off where the fault says.
func (x *exchange) stream(events [][]byte) {
	f, rc := x.fault, http.NewResponseController(x.w)
	for i, e := range events {
		if x.breakOff(f, i, e) {
			return
		}
		if i > 0 && !x.s.wait(x.r.Context(), x.s.opt.ChunkDelay+f.ChunkDelay) {
			x.gone()
			return
		}
		if !x.write(rc, e) {
			x.gone()
			return
		}
		x.s.journal.update(func() { x.entry.Events++ })
	}
}

func (x *exchange) breakOff(f Fault, i int, next []byte) bool {
	rc := http.NewResponseController(x.w)
	at := func(n int) bool { return n == i && i > 0 || n == -1 && i == 0 }
	switch {
	case at(f.Cut):
		panic(http.ErrAbortHandler) // resets the connection or the HTTP/2 stream
	case at(f.EOF):
	case at(f.Half):
		x.write(rc, next[:len(next)/2])
	case at(f.ErrorAfter):
		x.write(rc, x.rt.dialect.exception(f.Kind, faultText(f)))
	case at(f.HangAfter):
		x.hang()
	default:
		return false
	}
	return true
}

func (x *exchange) write(rc *http.ResponseController, b []byte) bool {
	n := len(b)
	if x.fault.Split {
		n = 1
	}
	for len(b) > 0 {
		if _, err := x.w.Write(b[:n]); err != nil || rc.Flush() != nil {
			return false
		}
		b = b[n:]
	}
	return true
}

// fastAnswer is one precomputed answer.
type fastAnswer struct {
	whole  []byte
	length []string // Content-Length of whole
	events [][]byte
}

func (s *Server) fastAnswers() map[string]fastAnswer {
	n := s.opt.FastBytes
	if n == 0 {
		n = 1024
	}
	chunks := s.opt.FastChunks
	if chunks == 0 {
		chunks = 200
	}
	out := map[string]fastAnswer{}
	for wire, d := range map[string]dialect{"openai": openAI{}, "anthropic": anthropic{}, "converse": converse{}, "invoke": invoke{}} {
		a := &ask{modelID: "fast", withUsage: true}
		ans := &answer{
			id: "fast", finish: "stop", shape: Fault{Chunks: chunks}, parts: []part{{kind: kindText, text: prose("", n)}},
			usage: Usage{Input: 100, Output: estimate(n)},
		}
		whole := d.whole(a, ans)
		out[wire] = fastAnswer{whole: whole, length: []string{strconv.Itoa(len(whole))}, events: d.events(a, ans)}
	}
	return out
}

// serveFast answers without looking at more of the request than whether it wants a stream.
func (s *Server) serveFast(w http.ResponseWriter, r *http.Request, rt target) bool {
	f, ok := s.fast[rt.wire]
	if !ok || rt.op != opChat {
		return false
	}
	var body bytes.Buffer
	if r.ContentLength > 0 && r.ContentLength <= maxBody {
		body.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody)); err != nil || !s.wait(r.Context(), s.opt.Latency) {
		return true
	}
	if !rt.stream && !wantsStream(body.Bytes()) {
		h := w.Header()
		h["Content-Type"], h["Content-Length"] = jsonType, f.length
		w.Write(f.whole)
		return true
	}
	w.Header().Set("Content-Type", rt.dialect.streamType())
	rc := http.NewResponseController(w)
	for i, e := range f.events {
		if i > 0 && s.opt.ChunkDelay > 0 && !s.wait(r.Context(), s.opt.ChunkDelay) {
			return true
		}
		if _, err := w.Write(e); err != nil || rc.Flush() != nil {
			return true
		}
	}
	return true
}

var jsonType = []string{"application/json"}

func wantsStream(body []byte) bool {
	return bytes.Contains(body, []byte(`"stream":true`)) || bytes.Contains(body, []byte(`"stream": true`))
}
