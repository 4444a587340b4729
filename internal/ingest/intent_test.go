package ingest

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/internal/gateway"
	"weir/internal/id"
	"weir/internal/tenant"
)

func anIntent() gateway.Intent {
	return gateway.Intent{
		Trace: id.Trace(), Span: id.Span(), Project: tenant.DefaultProject, Key: tenant.HashKey("sk-x"),
		User: tenant.UserID(id.New()), Team: tenant.TeamID(id.New()), Group: "bedrock/claude-sonnet-4-5",
		Deployment: "bedrock/claude-sonnet-4-5#0", Start: time.Now().UTC().Round(0), Reserved: 123456789,
	}
}

func TestIntentFitsOneBlock(t *testing.T) {
	i := anIntent()
	b := appendIntent(nil, &i)
	if len(b) > 256 {
		t.Fatalf("a usual intent takes %d bytes, more than 256", len(b))
	}
	if got := readIntents(b); len(got) != 1 || got[0] != i {
		t.Fatalf("read %+v, wrote %+v", got, i)
	}
}

func TestIntentOddIDs(t *testing.T) {
	i := gateway.Intent{Trace: "NOT-HEX", Span: "abc", Key: tenant.MasterKey, User: tenant.UserID(strings.Repeat("ab", 200)), Group: strings.Repeat("g", 500)}
	i.Start = time.Unix(0, 0).UTC()
	got := readIntents(appendIntent(nil, &i))
	i.Group = i.Group[:128]
	if len(got) != 1 || got[0] != i {
		t.Fatalf("read %+v, wrote %+v", got, i)
	}
}

func TestReadIntentsStepsOverDamage(t *testing.T) {
	a, b, c := anIntent(), anIntent(), anIntent()
	file := appendIntent(nil, &a)
	torn := appendIntent(nil, &b)
	file = append(file, torn[:len(torn)/2]...)
	from := len(file)
	file = appendIntent(file, &b)
	flipped := bytes.Clone(file[from:])
	flipped[len(flipped)-1] ^= 1
	file = append(append(file, flipped...), 0xA7)
	file = appendIntent(file, &c)
	got := readIntents(append(file, torn[:20]...))
	if !slices.Equal(got, []gateway.Intent{a, b, c}) {
		t.Fatalf("%d intents survived the damage, want 3", len(got))
	}
}

func FuzzReadIntents(f *testing.F) {
	i := anIntent()
	whole := appendIntent(nil, &i)
	f.Add(whole, []byte{})
	f.Add(whole[:30], whole[5:])
	f.Add([]byte{0xA7, 'I', 0, 0, 0, 0, 0, 0, 0, 0}, []byte{0xA7})
	f.Fuzz(func(t *testing.T, before, behind []byte) {
		if bytes.HasSuffix(before, intentMagic[:1]) {
			return
		}
		// A length field that reaches over the good intent needs a CRC that fits to hide it.
		all := readIntents(append(append(bytes.Clone(before), whole...), behind...))
		if !slices.Contains(all, i) {
			t.Fatalf("a whole intent between %x and %x was not found", before, behind)
		}
	})
}

func TestIntentLogRotation(t *testing.T) {
	dir := t.TempDir()
	l := newIntentLog(dir)
	l.rotate = 2000
	if err := l.open(); err != nil {
		t.Fatal(err)
	}
	stays := anIntent()
	if err := l.begin(&stays); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		i := anIntent()
		if err := l.begin(&i); err != nil {
			t.Fatal(err)
		}
		l.done(i.Trace, i.Span)
	}
	info, err := os.Stat(l.path)
	if err != nil || info.Size() > 2300 {
		t.Fatalf("the file grew to %d bytes (%v)", info.Size(), err)
	}
	left, _, err := newIntentLog(dir).leftovers()
	if err != nil || !slices.Contains(left, stays) {
		t.Fatalf("the call in flight was rotated away: %v, %v", left, err)
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	if left, _, _ := l.leftovers(); len(left) != 1 {
		t.Fatalf("after close only calls in flight are left, got %d", len(left))
	}
	if info, err := os.Stat(l.path); err != nil || info.Size() > 300 {
		t.Fatalf("after close the file keeps %d bytes (%v)", info.Size(), err)
	}
	if err := l.begin(&stays); err == nil {
		t.Fatal("a closed log takes no intents")
	}
}

func BenchmarkBegin(b *testing.B) {
	l := newIntentLog(b.TempDir())
	if err := l.open(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.close() }()
	for b.Loop() {
		i := anIntent()
		if err := l.begin(&i); err != nil {
			b.Fatal(err)
		}
		l.done(i.Trace, i.Span)
	}
}
