package test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"weir/test/harness"
)

// enough reports whether all expected calls are there: those that went well, and for scenarios of failure any at all.
func (sc scenario) enough(spans []harness.Span) error {
	ok := 0
	for _, sp := range spans {
		if sp.Status == "ok" && sp.Operation != "count_tokens" {
			ok++
		}
	}
	if ok < sc.calls || sc.calls == 0 && sc.check != nil && len(spans) == 0 {
		return fmt.Errorf("%d of %d calls went well, %d are recorded", ok, sc.calls, len(spans))
	}
	if ok > sc.calls {
		return fmt.Errorf("%d calls went well, expected %d", ok, sc.calls)
	}
	return nil
}

func factsRecorded(t *testing.T, _ *harness.Stack, spans []harness.Span) {
	sp := spans[0]
	if sp.Session != "session-of-facts" || sp.SessionSource != "client" || sp.EndUser != "end-user-7" {
		t.Errorf("session %q (%s), end user %q", sp.Session, sp.SessionSource, sp.EndUser)
	}
	if !slices.Contains(sp.Tags, "red") || !slices.Contains(sp.Tags, "blue") || !strings.Contains(string(sp.Metadata), `"er":1`) {
		t.Errorf("tags %v, metadata %s", sp.Tags, sp.Metadata)
	}
}

// upstreamErrors looks at calls that all failed.
func upstreamErrors(t *testing.T, _ *harness.Stack, spans []harness.Span) {
	for _, sp := range spans {
		if sp.Status != "error" || sp.HTTP < 400 || sp.ErrorType == "" || sp.ErrorText == "" || sp.CostUSD != 0 {
			t.Errorf("call %s: %s %d, type %q, text %q, $%g", sp.Trace, sp.Status, sp.HTTP, sp.ErrorType, sp.ErrorText, sp.CostUSD)
		}
	}
}

func retriedOnce(t *testing.T, _ *harness.Stack, spans []harness.Span) {
	if tries := spans[0].Tries; len(tries) != 2 || tries[0].HTTP != 503 || tries[1].HTTP != 200 {
		t.Errorf("tries %+v, expected a 503 and then a 200", tries)
	}
}

// brokenStream looks at a call that failed after it had begun to answer: it is an error, and what came is paid.
func brokenStream(t *testing.T, _ *harness.Stack, spans []harness.Span) {
	if sp := spans[0]; sp.Status != "error" || !strings.Contains(sp.ErrorText, "broken") || sp.CostUSD <= 0 {
		t.Errorf("%s %q, $%g", sp.Status, sp.ErrorText, sp.CostUSD)
	}
}

var errNotYet = errors.New("not yet")
