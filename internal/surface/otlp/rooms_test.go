package otlp

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"weir/internal/ingest"
)

// Requests use each other's memory; what was stored of the ones before must stay as it was.
func TestRequestsLeaveStoredSpansAlone(t *testing.T) {
	r := newRig(t, nil)
	const requests, each = 12, 5
	said := func(n int) string {
		return fmt.Sprintf(`[{"role":"user","parts":[{"type":"text","content":"%d %s"}]}]`, n, strings.Repeat(fmt.Sprint("word", n), 20+n))
	}
	for q := range requests {
		var spans []*tracepb.Span
		for i := range each {
			n := q*each + i
			spans = append(spans, chat(n, n, kv("gen_ai.input.messages", str(said(n))), kv("gen_ai.output.messages", str(said(1000+n))), kv("user.id", str(fmt.Sprint("user-", n))), kv("app.x", str(fmt.Sprint("x-", n)))))
		}
		if code, answer, _ := r.post(t, "/v1/traces", marshal(t, request(spans...))); code != http.StatusOK || len(answer) > 0 {
			t.Fatal(code, answer)
		}
	}
	for n := range requests * each {
		sp := r.span(t, fmt.Sprintf("%032x", n+1), spanID(n))
		in, err := ingest.Body(t.Context(), r.store, sp, sp.Input)
		if err != nil || string(in) != `{"messages":`+said(n)+`}` {
			t.Fatalf("span %d: %s, %v", n, in, err)
		}
		out, err := ingest.Body(t.Context(), r.store, sp, sp.Output)
		if err != nil || string(out) != `{"messages":`+said(1000+n)+`}` {
			t.Fatalf("span %d: %s, %v", n, out, err)
		}
		if want := fmt.Sprint("user-", n); sp.EndUser != want || sp.Model != "gpt-4o-2024-08-06" || sp.Service != "shop" || !strings.Contains(string(sp.Attributes), fmt.Sprintf(`"x-%d"`, n)) {
			t.Fatalf("span %d: %+v", n, sp)
		}
	}
}

func TestRooms(t *testing.T) {
	var p rooms
	for _, n := range []int{0, 1, smallestRoom, smallestRoom + 1, largestRoom, largestRoom + 1} {
		b := p.get(n)
		if len(b) < n {
			t.Errorf("%d bytes for %d", len(b), n)
		}
		p.put(b)
	}
	for range 100 {
		if b := p.get(smallestRoom); len(b) > largestRoom {
			t.Fatalf("%d bytes were kept", len(b))
		}
	}
}
