package fakeupstream

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is one misbehaviour, or a shape the answer must have. It is written as "key=value key2=value2", by the tags
// below, in a marker [[fake: …]] in the last user message, in the request header x-fake, or as a JSON object posted to
// /_fake/faults. A bare key means true; values with spaces stand in double quotes.
type Fault struct {
	// When. A marker counts its uses per text of the last user message, so that a client's retry advances it.
	Times   int    `fake:"times"`   // calls it applies to; 0 = all
	After   int    `fake:"after"`   // matching calls let through before that
	Model   string `fake:"model"`   // only models whose id contains this
	Dialect string `fake:"dialect"` // only openai, anthropic, converse or invoke

	// Instead of an answer.
	Status     int    `fake:"status"`      // this status with an error body
	RetryAfter string `fake:"retry_after"` // Retry-After beside the status
	Kind       string `fake:"kind"`        // error class, e.g. ThrottlingException
	Message    string `fake:"message"`     // error text
	Empty      bool   `fake:"empty"`       // 200 without output
	Garbage    bool   `fake:"garbage"`     // 200 with bytes that are no answer
	Hang       bool   `fake:"hang"`        // no byte until the client goes away
	Drop       bool   `fake:"drop"`        // the connection is closed without a status

	// Pace and framing of a stream. Counts are of events; 0 = unset, -1 = before the
	// first one (written =0).
	TTFT       time.Duration `fake:"ttft"`        // before the first byte
	ChunkDelay time.Duration `fake:"chunk_delay"` // between events
	Chunks     int           `fake:"chunks"`      // text events the answer is split into
	Split      bool          `fake:"split"`       // every byte is flushed by itself
	Cut        int           `fake:"cut"`         // connection reset after N events
	EOF        int           `fake:"eof"`         // clean end after N events, without the closing ones
	Half       int           `fake:"half"`        // N events and half of the next, then a clean end
	ErrorAfter int           `fake:"error_after"` // an error event after N events (Kind, Message)
	HangAfter  int           `fake:"hang_after"`  // silence after N events until the client goes away
	NoUsage    bool          `fake:"no_usage"`    // usage is left out

	// Content.
	Text      string `fake:"text"`      // the answer's text
	Tokens    int    `fake:"tokens"`    // length of the answer's text
	Oversize  int    `fake:"oversize"`  // bytes of text, in one event
	Reasoning string `fake:"reasoning"` // reasoning before the answer (OpenAI dialect: reasoning_content)
	Redacted  bool   `fake:"redacted"`  // a redacted thinking block
	Tool      string `fake:"tool"`      // call this offered tool
	Args      string `fake:"args"`      // with these arguments (JSON) instead of ones made from its schema
	Parallel  int    `fake:"parallel"`  // that many tool calls at once
	NoInput   bool   `fake:"no_input"`  // tool calls have no input
	Finish    string `fake:"finish"`    // refusal, guardrail, max_tokens

	set string // as written
}

// String is the fault as it was written.
func (f Fault) String() string { return f.set }

var (
	marker = regexp.MustCompile(`\[\[fake:\s*(.*?)\]\]`)
	pair   = regexp.MustCompile(`([a-z_]+)(?:=("[^"]*"|\S+))?`)
)

// ParseFault reads the textual form. An unknown key is an error, so that a test cannot ask for something in vain.
func ParseFault(text string) (Fault, error) {
	f := Fault{set: strings.TrimSpace(text)}
	for _, p := range pair.FindAllStringSubmatch(text, -1) {
		val := p[2]
		if val == "" {
			val = "true"
		}
		if err := f.put(p[1], strings.Trim(val, `"`)); err != nil {
			return f, err
		}
	}
	return f, nil
}

// positions are the keys that count events and may be 0.
var positions = map[string]bool{"cut": true, "eof": true, "half": true, "error_after": true, "hang_after": true}

func (f *Fault) put(key, val string) error {
	if positions[key] && val == "0" {
		val = "-1"
	}
	v := reflect.ValueOf(f).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("fake") != key {
			continue
		}
		if err := assign(v.Field(i), val); err != nil {
			return fmt.Errorf("fake: bad value %q of %s", val, key)
		}
		return nil
	}
	return fmt.Errorf("fake: unknown key %q", key)
}

func assign(v reflect.Value, val string) (err error) {
	switch p := v.Addr().Interface().(type) {
	case *string:
		*p = val
	case *bool:
		*p, err = strconv.ParseBool(val)
	case *int:
		*p, err = strconv.Atoi(val)
	case *time.Duration:
		*p, err = time.ParseDuration(val)
	}
	return err
}

// UnmarshalJSON takes an object with the keys of the textual form.
func (f *Fault) UnmarshalJSON(b []byte) error {
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	var words []string
	for k, v := range m {
		words = append(words, fmt.Sprintf("%s=%q", k, fmt.Sprint(v)))
	}
	parsed, err := ParseFault(strings.Join(words, " "))
	*f = parsed
	return err
}

// faults are the posted faults and the use counts of markers.
type faults struct {
	mu     sync.Mutex
	posted []*counted
	marked map[uint64]*counted
}

type counted struct {
	Fault
	seen int
}

func newFaults(from []Fault) *faults {
	f := &faults{marked: map[uint64]*counted{}}
	for _, x := range from {
		f.add(x)
	}
	return f
}

func (f *faults) add(x Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.posted = append(f.posted, &counted{Fault: x})
}

func (f *faults) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.posted = nil
	clear(f.marked)
}

// maxMarkers bounds the counters; beyond it counting starts over.
const maxMarkers = 100_000

// pick chooses the fault of a call: header, then markers in the last user message, then posted ones.
func (f *faults) pick(header string, a *ask, wire string) (Fault, error) {
	user := a.lastUser()
	var texts []string
	if header != "" {
		texts = append(texts, header)
	}
	for _, m := range marker.FindAllStringSubmatch(user, -1) {
		texts = append(texts, m[1])
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.marked) > maxMarkers {
		clear(f.marked)
	}
	for _, t := range texts {
		x, err := ParseFault(t)
		if err != nil {
			return Fault{}, err
		}
		if x, ok := f.counter(x, t, user).take(a.modelID, wire); ok {
			return x, nil
		}
	}
	for _, c := range f.posted {
		if x, ok := c.take(a.modelID, wire); ok {
			return x, nil
		}
	}
	return Fault{}, nil
}

func (f *faults) counter(x Fault, text, user string) *counted {
	h := fnv.New64a()
	h.Write([]byte(text + "\x00" + user))
	if f.marked[h.Sum64()] == nil {
		f.marked[h.Sum64()] = &counted{Fault: x}
	}
	return f.marked[h.Sum64()]
}

func (c *counted) take(model, wire string) (Fault, bool) {
	if !strings.Contains(model, c.Model) || c.Dialect != "" && c.Dialect != wire {
		return Fault{}, false
	}
	c.seen++
	if c.seen <= c.After || c.Times > 0 && c.seen > c.After+c.Times {
		return Fault{}, false
	}
	return c.Fault, true
}
