// Command benchfill writes spans into the stores of a data folder that no process has open, for make bench: a million
// calls through the gateway would take minutes. Span n has the trace id n, in hex.
package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"weir/internal/id"
	"weir/internal/jsonx"
	"weir/internal/llm"
	"weir/internal/money"
	"weir/internal/span"
	"weir/internal/store/pebble"
	"weir/internal/tenant"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "benchfill:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 3 {
		return fmt.Errorf("usage: benchfill DATA SPANS")
	}
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		return err
	}
	s, err := pebble.Open(filepath.Join(os.Args[1], "truth"), pebble.Options{MemTableBytes: 64 << 20})
	if err != nil {
		return err
	}
	if err := fill(context.Background(), s, n); err != nil {
		return err
	}
	return s.Close()
}

// perCommit is how many spans go into one write.
const perCommit = 1000

func fill(ctx context.Context, s *pebble.Store, n int) error {
	end := time.Now().UTC().Truncate(time.Second)
	step := 30 * 24 * time.Hour / time.Duration(n)
	for from := 0; from < n; from += perCommit {
		var batches []*span.Batch
		for i := from; i < min(from+perCommit, n); i++ {
			batches = append(batches, &span.Batch{Span: make1(i, end.Add(-time.Duration(n-i)*step))})
		}
		if err := s.Append(ctx, false, batches...); err != nil {
			return err
		}
	}
	return nil
}

var models = []string{"gpt-4o", "gpt-4o-mini", "claude-sonnet", "claude-haiku", "claude-opus"}

func make1(i int, at time.Time) *span.Span {
	r := rand.New(rand.NewPCG(uint64(i), 7))
	model := models[r.IntN(len(models))]
	user := "user-" + strconv.Itoa(r.IntN(40))
	s := &span.Span{
		Project: tenant.DefaultProject, Experiment: span.DefaultExperiment, Trace: fmt.Sprintf("%032x", i+1), ID: id.Span(), Day: span.DayOf(at), Name: model, Kind: span.Generation,
		Start: at, End: at.Add(time.Duration(300+r.IntN(20_000)) * time.Millisecond), FirstToken: time.Duration(100+r.IntN(900)) * time.Millisecond,
		Status: span.OK, HTTP: 200, Operation: "chat", Dialect: "openai_chat", Group: model, Model: model, Provider: "openai", Deployment: model + "#0",
		Params: jsonx.Raw(`{"temperature":0,"max_tokens":8192}`), Stream: i%3 == 0, Finish: "stop",
		Usage: llm.Usage{Input: int64(r.IntN(4000)), CacheRead: int64(r.IntN(60_000)), Output: int64(r.IntN(2000))},
		Cost:  span.Cost{Total: money.Nano(r.IntN(90_000_000)), Source: span.CostMeasured, Book: "config"},
		Key:   tenant.HashKey("sk-" + user), KeyAlias: user, User: tenant.UserID(user), Email: user + "@example.com", Client: "Cline", ClientVersion: "3.82.0",
		UserAgent: "Cline/3.82.0", IP: "192.0.2.7", Session: "session-" + strconv.Itoa(i/40), SessionSource: "client", Tags: []string{"prod"},
		Input:  span.Ref{Preview: "Fix the failing test in the parser and explain what was wrong"},
		Output: span.Ref{Preview: "I found the cause: the tokenizer dropped the last byte"},
	}
	if i%50 == 0 {
		s.Status, s.HTTP, s.ErrorType, s.ErrorText = span.Error, 429, "rate_limit_error", "Rate limit reached"
	}
	return s
}
