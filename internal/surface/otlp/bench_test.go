//go:build unix

package otlp

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"golang.org/x/sys/unix"
)

func cpuSeconds(b *testing.B) float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

var words = strings.Fields("the order of a customer was late and so the agent looked for its parcel at each station before it wrote an answer with three choices")

func prose(r *rand.Rand, n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(words[r.IntN(len(words))])
		if r.IntN(6) == 0 {
			fmt.Fprintf(&b, "%d", r.IntN(1000))
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// benchHTTP sends pre-encoded requests of 100 spans over loopback with a few clients, as an exporter would.
func benchHTTP(b *testing.B, make func(r *rand.Rand, n int) []byte) {
	rig := newRig(b, nil)
	const prepared = 200
	bodies := [][]byte{}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range prepared {
		bodies = append(bodies, make(rnd, i))
	}
	// Sent again, a request would be a retry: each round has other trace ids, of the same length.
	round := func(n int) []byte {
		body := bytes.Clone(bodies[n%prepared])
		mark := []byte{0x0a, 0x10} // field 1, 16 bytes
		for at := 0; ; {
			i := bytes.Index(body[at:], mark)
			if i < 0 {
				return body
			}
			at += i + 2
			if at+16 <= len(body) && body[at] == 0 && body[at+1] == 0 {
				body[at], body[at+1], body[at+2] = byte(1+n/prepared), byte((n/prepared)>>8), 1
			}
		}
	}
	var next atomic.Int64
	b.ResetTimer()
	before := cpuSeconds(b)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= b.N {
					return
				}
				req, _ := http.NewRequest(http.MethodPost, rig.server.URL+"/v1/traces", bytes.NewReader(round(n)))
				req.Header.Set("Authorization", "Bearer sk-good")
				req.Header.Set("Content-Type", "application/x-protobuf")
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				answer, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != 200 || len(answer) > 0 {
					b.Errorf("%d %q", resp.StatusCode, answer)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	spans := float64(b.N) * 100
	b.ReportMetric(spans/b.Elapsed().Seconds(), "spans/s")
	b.ReportMetric((cpuSeconds(b)-before)*1e6/spans, "cpu-µs/span")
	b.ReportMetric(float64(len(bodies[0]))/100, "B/span")
}

func BenchmarkSmallSpans(b *testing.B) {
	benchHTTP(b, func(r *rand.Rand, n int) []byte {
		var spans []*tracepb.Span
		for i := range 100 {
			spans = append(spans, chat(n*10+i/10, n*100+i,
				kv("gen_ai.input.messages", str(fmt.Sprintf(`[{"role":"user","parts":[{"type":"text","content":%q}]}]`, prose(r, 500)))),
				kv("gen_ai.output.messages", str(fmt.Sprintf(`[{"role":"assistant","parts":[{"type":"text","content":%q}]}]`, prose(r, 300)))),
				kv("session.id", str(fmt.Sprint(n%50))), kv("user.id", str(fmt.Sprint(n%9)))))
		}
		return marshal(b, request(spans...))
	})
}

// Conversations that grow by two messages a call, up to 30 KB on average.
func BenchmarkAgentSpans(b *testing.B) {
	benchHTTP(b, func(r *rand.Rand, n int) []byte {
		var spans []*tracepb.Span
		for t := range 4 {
			system := prose(r, 8000)
			messages := []string{fmt.Sprintf(`{"role":"system","content":%q}`, system)}
			for i := range 25 {
				messages = append(messages, fmt.Sprintf(`{"role":"user","content":%q}`, prose(r, 1200)))
				spans = append(spans, chat(n*4+t, n*100+t*25+i,
					kv("openinference.span.kind", str("LLM")),
					kv("input.value", str(`{"model":"gpt-4o","messages":[`+strings.Join(messages, ",")+`]}`)), kv("input.mime_type", str("application/json")),
					kv("output.value", str(fmt.Sprintf(`{"choices":[{"message":{"role":"assistant","content":%q}}]}`, prose(r, 500)))), kv("output.mime_type", str("application/json"))))
				messages = append(messages, fmt.Sprintf(`{"role":"assistant","content":%q}`, prose(r, 500)))
			}
		}
		return marshal(b, request(spans...))
	})
}
