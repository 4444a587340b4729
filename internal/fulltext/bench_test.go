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

// river is long texts that pieces are cut from, so that millions of spans are made quickly: seven tenths prose, two code
// and one Japanese.
type river struct {
	r   *rand.Rand
	bed [10]string
}

func newRiver(w *words) *river {
	const length = 8 << 20
	prose, code, japanese := w.prose(4*length), w.code(length), w.japanese(length)
	v := &river{r: w.r}
	for i := range v.bed {
		v.bed[i] = prose
	}
	v.bed[0], v.bed[1], v.bed[2] = japanese, code, code
	return v
}

func (v *river) cut(size int) string {
	bed := v.bed[v.r.IntN(len(v.bed))]
	at := v.r.IntN(len(bed) - size)
	return strings.ToValidUTF8(bed[at:at+size], "")
}

// TestLoad loads WEIR_TEXT_SPANS spans over seven days, about 1.3 KB of text each, in traces of 13, and prints what the
// index costs and how fast it answers. It is a measurement: without the variable it is skipped.
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
	w := newWords(60_000)
	v := newRiver(w)
	raw, took := load(t, s, x, v, n)
	size := indexSize(t, s)
	t.Logf("%d spans, %d MB of text: built in %v of processor time, %.1f µs a span, %.0f MB/s; index %.1f MB, %.2f %%",
		n, raw>>20, took.Round(time.Millisecond), float64(took.Microseconds())/float64(n), float64(raw)/took.Seconds()/1e6, float64(size)/1e6, 100*float64(size)/float64(raw))
	measure(t, x, w, v)
	if err := s.ResetTexts(t.Context()); err != nil {
		t.Fatal(err)
	}
	start, before := time.Now(), processorTime()
	if err := fulltext.New(s, fulltext.Options{}).RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("built anew in %v, of processors %v", time.Since(start).Round(time.Millisecond), (processorTime() - before).Round(time.Millisecond))
}

// load stores spans, and lets the index follow every few hundred; took is the processor time meanwhile, compactions included.
func load(t *testing.T, s *pebble.Store, x *fulltext.Service, v *river, n int) (raw int, took time.Duration) {
	run := func() {
		start := processorTime()
		if err := x.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		took += processorTime() - start
	}
	run()
	mk := &world{t: t, store: s}
	var batches []*span.Batch
	session := ""
	for i := range n {
		if i%13 == 0 {
			session = fmt.Sprint("session-", v.r.IntN(n/100+1))
		}
		in, out := v.cut(550), v.cut(450)
		if i == n/2 {
			in += " kumquatxylophone "
		}
		c := call{
			trace: fmt.Sprintf("%032x", i/13), id: fmt.Sprintf("%016x", i), day: today - span.Day(6-i/13*13*7/n), session: session, name: "chat " + strconv.Itoa(i%50),
			input: message("user", in), output: message("assistant", out), metadata: fmt.Sprintf(`{"http.route":"/v1/%d","user.id":"u-%d","build":"%x"}`, i%200, i%5000, v.r.Uint64()),
		}
		if i%3 == 0 {
			c.input = fmt.Sprintf(`{"query":"%s","order":"ORD-%016x"}`, strings.Map(plainly, in), v.r.Uint64())
		}
		raw += len(c.input) + len(c.output) + len(c.metadata) + 80
		if batches = append(batches, mk.batch(c)); len(batches) == 500 || i == n-1 {
			if err := s.Append(t.Context(), false, batches...); err != nil {
				t.Fatal(err)
			}
			batches = batches[:0]
			run()
		}
	}
	return raw, took
}

// plainly keeps a text free of what JSON escapes.
func plainly(r rune) rune {
	if r < ' ' || r == '"' || r == '\\' {
		return ' '
	}
	return r
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

// question is a text to search for, and what kind of one.
type question struct{ name, text string }

func questions(w *words, v *river) []question {
	phrase := func(words ...int) string {
		var out []string
		for _, i := range words {
			out = append(out, w.all[i])
		}
		return strings.Join(out, " ")
	}
	prose, japanese := v.bed[9], []rune(v.bed[0])
	return []question{
		{"common", w.all[3]}, {"rare, found once", "kumquatxylophone"}, {"absent word", "rhododendron"}, {"absent id", "zq81x77v"},
		{"nowhere, frequent parts", "ORD-0000"}, {"phrase", prose[100_000:100_030]}, {"phrase, long", prose[200_000:200_060]},
		{"absent phrase, frequent", phrase(11, 4, 29, 7, 16, 3)}, {"absent phrase, most frequent", phrase(0, 2, 1, 3, 2, 0, 5, 1)},
		{"absent phrase, mixed", phrase(900, 1700, 2500)}, {"rare word", w.all[50_000]},
		{"Japanese, common", string(japanese[4:6])}, {"Japanese, phrase", string(japanese[1000:1010])}, {"Japanese, absent", "並ひ亀ゐ京"},
		{"code", "if err := s." + w.all[4000]}, {"metadata", "u-4321\""},
	}
}

func measure(t *testing.T, x *fulltext.Service, w *words, v *river) {
	for _, c := range questions(w, v) {
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
		t.Logf("%-28s p50 %8v, of processors %8v  found %d, %d of %d blocks pass", c.name, took[3].Round(10*time.Microsecond), used[3].Round(10*time.Microsecond), found, pass, all)
	}
}

// processorTime is what the process has used, which says more than a clock on a machine that others use too.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
