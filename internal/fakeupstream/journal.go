package fakeupstream

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Entry is one call in the journal.
type Entry struct {
	Seq          int64             `json:"seq"`
	RequestID    string            `json:"request_id"`
	Time         time.Time         `json:"time"`
	Method       string            `json:"method"`
	Path         string            `json:"path"`  // escaped, as received
	Proto        string            `json:"proto"` // HTTP/1.1 or HTTP/2.0
	Dialect      string            `json:"dialect"`
	Model        string            `json:"model"`
	Stream       bool              `json:"stream"`
	Header       map[string]string `json:"header"` // without credentials
	Body         json.RawMessage   `json:"body"`   // a JSON string where the body was not JSON
	Status       int               `json:"status"` // 0 = no answer was begun
	Error        string            `json:"error,omitempty"`
	Fault        string            `json:"fault,omitempty"`
	Usage        Usage             `json:"usage"`
	Events       int               `json:"events"`       // stream events written
	Disconnected bool              `json:"disconnected"` // the client was seen to leave first
	Done         bool              `json:"done"`         // the handler has returned
	Took         time.Duration     `json:"took_ns"`
}

// maxJournalBytes bounds the bodies kept; the oldest entries go first.
const maxJournalBytes = 64 << 20

// journal is a bounded list of calls. When full it forgets the oldest.
type journal struct {
	mu      sync.Mutex
	size    int
	seq     int64
	bytes   int
	entries []*Entry
}

func newJournal(size int) *journal {
	if size == 0 {
		size = 512
	}
	return &journal{size: size}
}

func (j *journal) open(r *http.Request, rt target, body []byte) *Entry {
	e := &Entry{
		Time: time.Now(), Method: r.Method, Path: r.URL.EscapedPath(), Proto: r.Proto, Dialect: rt.wire, Model: rt.model,
		Stream: rt.stream, Header: headers(r.Header), Body: bodyJSON(body),
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seq++
	e.Seq, e.RequestID = j.seq, fmt.Sprintf("fake%08d", j.seq)
	j.entries = append(j.entries, e)
	j.bytes += len(e.Body)
	for len(j.entries) > j.size || j.bytes > maxJournalBytes && len(j.entries) > 1 {
		j.bytes -= len(j.entries[0].Body)
		j.entries = slices.Delete(j.entries, 0, 1)
	}
	return e
}

func headers(h http.Header) map[string]string {
	out := make(map[string]string, len(h))
	for k, v := range h {
		switch k {
		case "Authorization", "X-Api-Key", "X-Amz-Security-Token":
		default:
			out[strings.ToLower(k)] = strings.Join(v, ", ")
		}
	}
	return out
}

func bodyJSON(b []byte) json.RawMessage {
	if len(b) == 0 {
		return json.RawMessage("null")
	}
	if json.Valid(b) {
		return b
	}
	q, _ := json.Marshal(string(b))
	return q
}

// update changes an entry under the lock.
func (j *journal) update(f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f()
}

func (j *journal) list() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]Entry, len(j.entries))
	for i, e := range j.entries {
		out[i] = *e
	}
	return out
}

func (j *journal) reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries, j.bytes = nil, 0
}

// Totals are what one model was billed.
type Totals struct {
	Calls   int64 `json:"calls"`   // answered
	Refused int64 `json:"refused"` // answered with an error
	Usage
}

type stats struct {
	mu     sync.Mutex
	models map[string]Totals
}

func newStats() *stats { return &stats{models: map[string]Totals{}} }

func (s *stats) add(model string, u Usage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.models[model]
	t.Calls++
	t.Input += u.Input
	t.CacheRead += u.CacheRead
	t.CacheWrite += u.CacheWrite
	t.CacheWrite1h += u.CacheWrite1h
	t.Output += u.Output
	t.Reasoning += u.Reasoning
	s.models[model] = t
}

func (s *stats) refused(model string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.models[model]
	t.Refused++
	s.models[model] = t
}

func (s *stats) all() map[string]Totals {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.models)
}

func (s *stats) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.models)
}

// control serves /_fake/{journal,stats,reset,faults}. It needs no credential: the fake listens on loopback.
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	var out any = map[string]bool{"ok": true}
	switch r.Method + " " + r.URL.Path {
	case "GET /_fake/journal":
		out = s.Journal()
	case "GET /_fake/stats":
		out = s.Stats()
	case "POST /_fake/reset":
		s.Reset()
	case "POST /_fake/faults":
		if err := s.postFaults(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	default:
		http.Error(w, "404 page not found", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(out)
}

// postFaults takes one fault object or a list of them.
func (s *Server) postFaults(w http.ResponseWriter, r *http.Request) error {
	var raw json.RawMessage
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&raw); err != nil {
		return err
	}
	var fs []Fault
	if raw[0] != '[' {
		raw = slices.Concat(json.RawMessage("["), raw, json.RawMessage("]"))
	}
	if err := json.Unmarshal(raw, &fs); err != nil {
		return err
	}
	for _, f := range fs {
		s.AddFault(f)
	}
	return nil
}
