package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestFilterErrorsPointAtThePlace(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("filter") != `name = 日本 and = 3` {
			t.Errorf("filter %q", r.URL.Query().Get("filter"))
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":{"code":"invalid","message":"position 18: a field is missing","position":18}}`)
	}))
	defer srv.Close()
	c := &Client{URL: srv.URL}
	err := c.Follow(t.Context(), Tail{Filter: `name = 日本 and = 3`, Out: io.Discard, Err: io.Discard})
	want := "position 18: a field is missing\n  name = 日本 and = 3\n                  ^"
	if err == nil || !strings.HasPrefix(err.Error(), "position 18: a field is missing\n  name = 日本 and = 3\n") {
		t.Fatalf("%v, want %s", err, want)
	}
	lines := strings.Split(err.Error(), "\n")
	if got, at := width(lines[2])-1, 2+width("name = 日本 and "); got != at {
		t.Errorf("the caret is in column %d, the fault in %d", got, at)
	}
}

const event = `{"trace":"t1","id":"s1","start":"2026-03-02T12:00:00.500Z","duration_ms":1234,"status":"ok","http":200,"model":"claude","email":"a@example.com",` +
	`"usage":{"input":12000,"cache_read":345,"output":56},"cost_usd":0.0123,"output_preview":"line one\nline \u001b[31mtwo"}`

func TestFollowReconnects(t *testing.T) {
	var calls atomic.Int32
	ctx, cancel := context.WithCancel(t.Context())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sk-1" || r.Header.Get("X-Weir-Project") != "p" {
			t.Errorf("headers %v", r.Header)
		}
		switch calls.Add(1) {
		case 1:
			fmt.Fprintf(w, ": live\n\nevent: span\ndata: %s\n\n", event)
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 3:
			fmt.Fprintf(w, "event: lagged\ndata: {}\n\n")
		default:
			fmt.Fprintf(w, "event: span\ndata: %s\n\n", strings.Replace(event, "claude", "again", 1))
			_ = http.NewResponseController(w).Flush()
			cancel()
		}
	}))
	defer srv.Close()
	var out, notes strings.Builder
	c := &Client{URL: srv.URL + "/", Key: "sk-1", Project: "p"}
	if err := c.Follow(ctx, Tail{Out: &out, Err: &notes, Wait: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if n := calls.Load(); n < 4 {
		t.Errorf("%d connections", n)
	}
	if !strings.Contains(out.String(), "claude") || strings.Contains(out.String(), "\x1b") || !strings.Contains(out.String(), "line one line [31mtwo") {
		t.Errorf("shown %q", out.String())
	}
	if s := notes.String(); strings.Count(s, "connection lost") < 3 || !strings.Contains(s, "were not shown") || !strings.Contains(s, "fell behind") {
		t.Errorf("notices %s", s)
	}
}

func TestSilenceIsALostConnection(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var calls atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, ": live\n\n")
		_ = http.NewResponseController(w).Flush()
		if calls.Add(1) == 2 {
			cancel()
		}
		<-r.Context().Done()
	}))
	defer srv.Close()
	var notes strings.Builder
	if err := (&Client{URL: srv.URL}).Follow(ctx, Tail{Out: io.Discard, Err: &notes, Wait: time.Millisecond, Silent: 20 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(notes.String(), "went silent") {
		t.Errorf("notices %q", notes.String())
	}
}

func TestRefusalsEnd(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	if err := (&Client{URL: srv.URL}).Follow(t.Context(), Tail{Out: io.Discard, Err: io.Discard}); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("%v", err)
	}
	srv.Close()
	if err := (&Client{URL: srv.URL}).Follow(t.Context(), Tail{Out: io.Discard, Err: io.Discard}); err == nil {
		t.Error("nobody is there, and no error")
	}
}

func TestLines(t *testing.T) {
	var r row
	if err := json.Unmarshal([]byte(event), &r); err != nil {
		t.Fatal(err)
	}
	plain := Style{}.line(&r, false)
	for _, want := range []string{"ok    claude", "a@example.com", "1.23s", "12.3k→56", "$0.012", "line one line"} {
		if !strings.Contains(plain, want) {
			t.Errorf("%q is missing in %q", want, plain)
		}
	}
	r.OutputPreview = strings.Repeat("東京 ", 100)
	if got := (Style{Width: 120}).line(&r, false); width(strings.TrimRight(got, "\n")) > 120 || !strings.HasSuffix(got, "…\n") {
		t.Errorf("%d columns: %q", width(got), got)
	}
	r.Status, r.HTTP, r.ErrorText = "error", 429, "slow down"
	if got := (Style{Colour: true}).line(&r, false); !strings.Contains(got, "\x1b[31m429  \x1b[0m") || !strings.Contains(got, "\x1b[31mslow down\x1b[0m") {
		t.Errorf("%q", got)
	}
	if got := (Style{}).line(&r, true); !strings.Contains(got, "  trace  t1/s1\n") || !strings.Contains(got, "  error  slow down\n") {
		t.Errorf("%q", got)
	}
}

func TestReplay(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/replay" {
			var in map[string]any
			_ = json.NewDecoder(r.Body).Decode(&in)
			if got := fmt.Sprint(in); got != "map[model:m params:map[seed:<nil> stop:END temperature:0] prompt:map[system:] span:s trace:t]" {
				t.Errorf("sent %s", got)
			}
			_, _ = io.WriteString(w, `{"trace":"n","span":"m","status":"ok","replays":"t/s"}`)
			return
		}
		if q := r.URL.Query(); q.Get("a") != "t/s" || q.Get("b") != "n/m" {
			t.Errorf("compared %v", q)
		}
		_, _ = io.WriteString(w, `{"a":{"tokens":10,"cost_usd":0.5,"duration_ms":100},"b":{"tokens":7,"cost_usd":0.25,"duration_ms":2100},"delta":{"tokens":-3,"cost_usd":-0.25,"duration_ms":2000},
			"rows":[{"op":"changed","parts":[{"what":"params","path":"params.temperature","op":"changed","before":1,"after":0},
			{"what":"output","path":"output.messages[0]","op":"changed","before":"a b","after":"a c","words":[["=","a "],["-","b"],["+","c"]]}]}],"notes":["cut"]}`)
	}))
	defer srv.Close()
	var out strings.Builder
	empty := ""
	err := (&Client{URL: srv.URL}).Replay(t.Context(), Replay{Target: "t/s", Model: "m", Set: []string{"temperature=0", "stop=END", "seed="}, System: &empty, Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"as n/m  ok", "100ms → 2.10s        +2.00s", "-3", "-$0.250", "params params.temperature\n    1 → 0", "a [-b-]{+c+}", "note: cut"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if err := (&Client{URL: srv.URL}).Replay(t.Context(), Replay{Target: "t", Set: []string{"nothing"}, Out: &out}); err == nil {
		t.Error("a --set without = is taken")
	}
}

func TestReplayThatFails(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/replay" {
			_, _ = io.WriteString(w, `{"trace":"n","span":"m","status":"error","error_text":"slow down","replays":"t/s"}`)
			return
		}
		_, _ = io.WriteString(w, `{"notes":["compared"]}`)
	}))
	defer srv.Close()
	var out strings.Builder
	err := (&Client{URL: srv.URL}).Replay(t.Context(), Replay{Target: "t/s", Out: &out})
	if !errors.Is(err, ErrFailed) {
		t.Errorf("error %v", err)
	}
	for _, want := range []string{"as n/m  error", "slow down", "note: compared"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}
