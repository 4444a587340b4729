package gateway

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"weir/internal/edge"
	"weir/internal/llm"
)

const (
	// keepAliveAfter is the silence after which something harmless is sent, so that proxies keep the connection.
	keepAliveAfter = 15 * time.Second
	// gather is how much is collected before a flush while more frames are waiting.
	gather = 16 << 10
	// writeDeadline ends a stream whose client has stopped reading.
	writeDeadline = time.Minute
)

// buffers are reused over streams: growing one for each costs more than encoding into it.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, gather+gather/4)
	return &b
}}

// Relay writes a streamed answer: headers, then frames as they come, gathered into one flush while more are buffered,
// keep-alives in silence, and an error in-band. It always closes the stream. The error returned is for the log: what
// could be told to the client has been.
func Relay(w http.ResponseWriter, r *http.Request, a *Answer, c StreamCodec) error {
	s := a.Stream
	defer s.Close()
	h := w.Header()
	h.Set("Content-Type", c.ContentType())
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no")
	WriteHeaders(h, a)
	w.WriteHeader(http.StatusOK)
	out := &flusher{w: w, rc: http.NewResponseController(w), ping: c.KeepAlive()}
	out.start()
	defer out.stop()
	if s.Pending() {
		if err := out.send(nil); err != nil {
			return err
		}
	}
	pooled := buffers.Get().(*[]byte)
	defer buffers.Put(pooled)
	buf := (*pooled)[:0]
	for {
		f, err := s.Next()
		if err == nil {
			if buf, err = c.Append(buf, f); err == nil {
				if s.Buffered() && len(buf) < gather {
					continue
				}
				if err := out.send(buf); err != nil {
					return err
				}
				if cap(buf) <= 2*gather { // one that a huge frame has grown is not kept
					*pooled = buf
				}
				buf = (*pooled)[:0]
				continue
			}
		}
		if err == io.EOF {
			return out.send(c.AppendEnd(buf))
		}
		if r.Context().Err() != nil {
			return r.Context().Err()
		}
		return errors.Join(err, out.send(c.AppendError(buf, asFault(err))))
	}
}

// flusher serialises writes of the stream and of its keep-alives.
type flusher struct {
	w    http.ResponseWriter
	rc   *http.ResponseController
	ping []byte

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
	err     error
}

func (f *flusher) start() {
	if f.ping == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.timer = time.AfterFunc(keepAliveAfter, f.keepAlive)
}

func (f *flusher) keepAlive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return
	}
	f.write(f.ping)
	f.timer.Reset(keepAliveAfter)
}

func (f *flusher) send(p []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.write(p)
	if f.timer != nil {
		f.timer.Reset(keepAliveAfter)
	}
	return f.err
}

func (f *flusher) write(p []byte) {
	if f.err != nil {
		return
	}
	_ = f.rc.SetWriteDeadline(time.Now().Add(writeDeadline)) // not every writer has deadlines
	f.err = edge.Send(f.w, p)
}

func (f *flusher) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	if f.timer != nil {
		f.timer.Stop()
	}
	_ = f.rc.SetWriteDeadline(time.Time{})
}

// WriteHeaders tells the client about the call in Weir's and LiteLLM's headers. The cost is there for whole answers;
// a stream's is not known yet.
func WriteHeaders(h http.Header, a *Answer) {
	// The names are canonical already, and one array holds all values: this runs for every call.
	v := make([]string, 0, 8)
	set := func(name, value string) {
		v = append(v, value)
		h[name] = v[len(v)-1 : len(v) : len(v)]
	}
	set("X-Weir-Trace-Id", a.Trace)
	set("X-Litellm-Call-Id", a.Call)
	if d := a.Deployment; d != nil {
		set("X-Litellm-Model-Id", d.ID)
		set("X-Litellm-Model-Group", a.Model)
	}
	set("X-Litellm-Attempted-Retries", strconv.Itoa(a.Attempts))
	set("X-Litellm-Attempted-Fallbacks", strconv.Itoa(a.Fallbacks))
	if a.Stream == nil && a.Cost.Source != "" {
		set("X-Litellm-Response-Cost", strconv.FormatFloat(a.Cost.Total.USD(), 'g', -1, 64))
	}
	if id := requestID(a.Header); id != "" {
		set("Llm_provider-X-Request-Id", id)
	}
}

// ErrorHeader names the trace of a failed call, and when to come back.
func (e *CallError) ErrorHeader(h http.Header) {
	h.Set("X-Weir-Trace-Id", e.Trace)
	h.Set("X-Litellm-Call-Id", e.Trace)
	var up *llm.Error
	if errors.As(e.Err, &up) && up.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((up.RetryAfter+time.Second-1)/time.Second)))
	}
}
