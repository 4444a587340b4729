package fulltext_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"weir/internal/fulltext"
	"weir/internal/query"
	"weir/internal/span"
	"weir/internal/store/pebble"
)

// words follow Zipf's law, as those of prose do: few are frequent, most are rare.
type words struct {
	r    *rand.Rand
	zipf *rand.Zipf
	all  []string
}

func newWords(n int) *words {
	r := rand.New(rand.NewPCG(9, 9))
	syllables := strings.Fields("con ter pre ation ing er re in ex pro com ver per sta tion al ment able ous ive ty ly un dis st ch th br qu pl gr tr ea ou ai o a e i u sk mp nd rt ck ss")
	w := &words{r: r, zipf: rand.NewZipf(r, 1.07, 3, uint64(n-1))}
	for len(w.all) < n {
		word := ""
		for range 1 + r.IntN(2) + len(w.all)*3/n {
			word += syllables[r.IntN(len(syllables))]
		}
		w.all = append(w.all, word)
	}
	return w
}

func (w *words) prose(size int) string {
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(w.all[w.zipf.Uint64()])
		b.WriteByte(' ')
	}
	return b.String()
}

func (w *words) japanese(size int) string {
	var b strings.Builder
	for b.Len() < size {
		b.WriteRune(rune(0x4e00 + w.zipf.Uint64()%4000))
		b.WriteRune(rune(0x3042 + w.zipf.Uint64()%80))
	}
	return b.String()
}

func (w *words) code(size int) string {
	var b strings.Builder
	for b.Len() < size {
		a, c := w.all[w.zipf.Uint64()], w.all[w.zipf.Uint64()]
		fmt.Fprintf(&b, "func %s%s(ctx context.Context, %s int) error {\n\tif err := s.%s[0x%x]; err != nil {\n\t\treturn err\n\t}\n}\n", a, c, c, a, w.r.Uint32())
	}
	return b.String()
}

func (w *words) text(size int) string {
	switch w.r.IntN(10) {
	case 0:
		return w.japanese(size)
	case 1, 2, 3:
		return w.code(size)
	}
	return w.prose(size)
}

// TestLoad loads WEIR_TEXT_SPANS spans over seven days, 2 KB of text each, and prints what the index costs and how fast
// it answers. It is a measurement: without the variable it is skipped.
func TestLoad(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("WEIR_TEXT_SPANS"))
	if n == 0 {
		t.Skip("WEIR_TEXT_SPANS is not set")
	}
	s, err := pebble.Open(t.TempDir(), pebble.Options{MemTableBytes: 32 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	x := fulltext.New(s, fulltext.Options{})
	raw, took := load(t, s, x, n)
	size := indexSize(t, s)
	t.Logf("%d spans, %d MB of text: built in %v of processor time, %.0f MB/s; index %.1f MB, %.2f %%",
		n, raw>>20, took.Round(time.Millisecond), float64(raw)/took.Seconds()/1e6, float64(size)/1e6, 100*float64(size)/float64(raw))
	measure(t, x, n)
	if err := s.ResetTexts(t.Context()); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := fulltext.New(s, fulltext.Options{}).RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("built anew in %v", time.Since(start).Round(time.Millisecond))
}

// load stores spans, and lets the index follow every few hundred; took is the processor time meanwhile, compactions included.
func load(t *testing.T, s *pebble.Store, x *fulltext.Service, n int) (raw int, took time.Duration) {
	run := func() {
		start := processorTime()
		if err := x.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		took += processorTime() - start
	}
	run()
	w := newWords(60_000)
	mk := &world{t: t, store: s}
	var batches []*span.Batch
	for i := range n {
		in, out := w.text(1200), w.text(500)
		if i == n/2 {
			in += " kumquatxylophone "
		}
		raw += len(in) + len(out) + 150
		b := mk.batch(call{
			trace: fmt.Sprintf("%032x", i/4), id: fmt.Sprintf("%016x", i), day: today - span.Day(6-i/40*40*7/n), session: fmt.Sprint("session", i/40), name: "chat " + w.all[i%50],
			input: message("user", in), output: message("assistant", out), metadata: fmt.Sprintf(`{"http.route":"/v1/%s","user.id":"u-%d","build":"%x"}`, w.all[i%200], i%5000, w.r.Uint64()),
		})
		if batches = append(batches, b); len(batches) == 500 || i == n-1 {
			if err := s.Append(t.Context(), false, batches...); err != nil {
				t.Fatal(err)
			}
			batches = batches[:0]
			run()
		}
	}
	return raw, took
}

func indexSize(t *testing.T, s *pebble.Store) (size int) {
	days, err := s.TextDays(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	by, packed := map[byte]int{}, map[byte]int{}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		t.Fatal(err)
	}
	var block []byte // as the engine compresses: values of one kind, 64 KB at a time
	var last byte
	pack := func() {
		packed[last] += len(enc.EncodeAll(block, nil))
		block = block[:0]
	}
	for _, d := range days {
		err := s.TextRange(t.Context(), project, d, []byte{0}, []byte{0xff}, func(k, v []byte) (bool, error) {
			by[k[0]] += len(k) + len(v)
			if last != k[0] || len(block)+len(v) > 64<<10 {
				pack()
			}
			block, last = append(block, v...), k[0]
			return true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	pack()
	for _, n := range packed {
		size += n
	}
	t.Logf("bytes by kind (header, filter, block, names, seen): %v, compressed %v", by, packed)
	return size
}

func measure(t *testing.T, x *fulltext.Service, n int) {
	w := newWords(60_000)
	for _, c := range []struct{ name, text string }{
		{"common", w.all[3]}, {"rare, found once", "kumquatxylophone"}, {"absent word", "rhododendron"}, {"absent id", "zq81x77v"},
		{"absent phrase", w.all[900] + " " + w.all[1700] + " " + w.all[2500]}, {"rare word", w.all[50_000]}, {"Japanese, common", "一あ"}, {"Japanese, rare", "並ひ亀ゐ京"}, {"code", "if err := s." + w.all[4000]}, {"metadata", "u-4321\""},
	} {
		var took, used []time.Duration
		found := 0
		for range 7 {
			start, before := time.Now(), processorTime()
			found = 0
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			err := x.Search(ctx, query.TextQuery{Project: project, Needles: []query.Needle{anywhere(c.text)}}, func(span.Key) bool { found++; return found < 50 })
			cancel()
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			took, used = append(took, time.Since(start)), append(used, processorTime()-before)
		}
		slices.Sort(took)
		slices.Sort(used)
		pass, all := 0, 0
		for d := range span.Day(7) {
			p, a, _, _ := x.Candidates(t.Context(), project, today-d, c.text)
			pass, all = pass+p, all+a
		}
		t.Logf("%-18s p50 %8v, of processors %8v  found %d, %d of %d blocks pass", c.name, took[3].Round(10*time.Microsecond), used[3].Round(10*time.Microsecond), found, pass, all)
	}
}

// processorTime is what the process has used, which says more than a clock on a machine that others use too.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
