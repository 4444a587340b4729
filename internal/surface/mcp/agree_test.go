package mcp

import (
	"regexp"
	"strings"
	"testing"

	"weir/internal/query"
	"weir/internal/span"
)

// Figures are those of the REST interface: over model calls, unless kinds are asked for.
func TestFiguresAreOverCalls(t *testing.T) {
	r := filled(t)
	tool, covered := call(trace(4), 4), call(trace(4), 5)
	tool.Kind, covered.Covered = span.Tool, true
	r.Record(tool, "", "")
	r.Record(covered, "", "")
	s := r.session("sk-member")
	for filter, want := range map[string]string{"": "calls\n2\n", "kind = tool": "calls\n1\n", "kind exists": "calls\n4\n"} {
		if text, failed := ask(t, s, "aggregate", map[string]any{"filter": filter, "measures": []string{"calls"}}); failed || !strings.HasPrefix(text, want) {
			t.Errorf("%q: %s", filter, text)
		}
	}
}

func TestInstructionsNameAGoodFilter(t *testing.T) {
	_, example, _ := strings.Cut(instructions, "Filters look like: ")
	example = regexp.MustCompile(`^.*?"some words"`).FindString(example)
	if example == "" {
		t.Fatal("there is no example")
	}
	if _, err := query.ParseAt(example, now); err != nil {
		t.Error(err)
	}
}
