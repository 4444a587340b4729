package sse

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

type event struct{ Name, Data string }

func readAll(r io.Reader, max int) ([]event, error) {
	var out []event
	sr := NewReader(r, max)
	for {
		e, err := sr.Next()
		if err != nil {
			return out, err
		}
		out = append(out, event{e.Name, string(e.Data)})
	}
}

// reference is the specification's algorithm over the whole text.
func reference(text string) []event {
	text = strings.TrimPrefix(text, "\ufeff")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	var out []event
	var name string
	var data []string
	dispatch := func() {
		if data != nil {
			out = append(out, event{name, strings.Join(data, "\n")})
		}
		name, data = "", nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			dispatch()
			continue
		}
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch key {
		case "data":
			data = append(data, value)
		case "event":
			name = value
		}
	}
	dispatch()
	return out
}

// splitReader hands out pieces of n bytes.
type splitReader struct {
	data []byte
	n    int
}

func (s *splitReader) Read(p []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.data[:min(s.n, len(s.data))])
	s.data = s.data[n:]
	return n, nil
}

var samples = []struct {
	name, in string
	want     []event
}{
	{"empty", "", nil},
	{"one", "data: a\n\n", []event{{"", "a"}}},
	{"crlf", "event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n", []event{{"x", "a"}, {"", "b"}}},
	{"cr", "data: a\r\rdata: b\r\r", []event{{"", "a"}, {"", "b"}}},
	{"mixed", "data: a\r\n\ndata: b\r\r\ndata: c\n\r\n", []event{{"", "a"}, {"", "b"}, {"", "c"}}},
	{"multi", "data: a\ndata: b\ndata\ndata:c\n\n", []event{{"", "a\nb\n\nc"}}},
	{"comments", ": hi\n\n:\ndata: a\n: in between\ndata: b\n\n", []event{{"", "a\nb"}}},
	{"mark", "\ufeffdata: a\n\n", []event{{"", "a"}}},
	{"mark only once", "\ufeff\ufeffdata: a\n\ndata: b\n\n", []event{{"", "b"}}},
	{"no final blank line", "data: a\n\ndata: b\n", []event{{"", "a"}, {"", "b"}}},
	{"no final line end", "data: a\n\ndata: b", []event{{"", "a"}, {"", "b"}}},
	{"name without data", "event: x\n\ndata: a\n\n", []event{{"", "a"}}},
	{"last name wins", "event: x\nevent: y\ndata: a\n\n", []event{{"y", "a"}}},
	{"empty data", "data:\n\ndata\n\n", []event{{"", ""}, {"", ""}}},
	{"one space off", "data:  a\ndata:b\n\n", []event{{"", " a\nb"}}},
	{"unknown fields", "id: 1\nretry: 5\ndatax: no\ndata: a\nfoo\n\n", []event{{"", "a"}}},
	{"colons", "data: a: b\n\n", []event{{"", "a: b"}}},
	{"long", "data: " + strings.Repeat("x", 20_000) + "\n\ndata: b\n\n", []event{{"", strings.Repeat("x", 20_000)}, {"", "b"}}},
}

func TestReader(t *testing.T) {
	for _, c := range samples {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, reference(c.in)); diff != "" {
				t.Fatalf("the test's own reference disagrees:\n%s", diff)
			}
			for _, n := range []int{1, 2, 3, 5, 7, 4096, 1 << 20} {
				got, err := readAll(&splitReader{[]byte(c.in), n}, 1<<20)
				if diff := cmp.Diff(c.want, got); diff != "" || err != io.EOF {
					t.Fatalf("pieces of %d: %v\n%s", n, err, diff)
				}
			}
			got, err := readAll(iotest.DataErrReader(strings.NewReader(c.in)), 1<<20)
			if diff := cmp.Diff(c.want, got); diff != "" || err != io.EOF {
				t.Fatalf("data with EOF: %v\n%s", err, diff)
			}
		})
	}
}

func TestReaderLimit(t *testing.T) {
	long := strings.Repeat("x", 100)
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"at the limit":      {"data: " + long[:94] + "\n\n", io.EOF},
		"over":              {"data: " + long[:95] + "\n\n", ErrTooLarge},
		"line without end":  {"data: " + long, ErrTooLarge},
		"many lines":        {strings.Repeat("data: aaaa\n", 11) + "\n", ErrTooLarge},
		"comment in event":  {"data: a\n:" + long + "\n\n", ErrTooLarge},
		"comments between":  {strings.Repeat(": keep-alive\n\n", 100), io.EOF},
		"comments in a row": {strings.Repeat(": keep-alive\n", 100), io.EOF},
	} {
		if _, err := readAll(strings.NewReader(c.in), 100); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestReaderKeepsSourceError(t *testing.T) {
	broken := errors.New("broken")
	got, err := readAll(io.MultiReader(strings.NewReader("data: a\n\ndata: half"), iotest.ErrReader(broken)), 1000)
	if err != broken || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestBuffered(t *testing.T) {
	for _, c := range []struct {
		rest string
		want bool
	}{
		{"", false}, {"data: b\n", false}, {"data: b\n\n", true}, {"data: b\r\n\r\n", true}, {": ping\n\n", false},
		{": ping\n\ndata: b\n\n", true}, {"event: x\n\n", false}, {"data: b", false}, {"data\n\n", true},
	} {
		r := NewReader(io.MultiReader(strings.NewReader("data: a\n\n"+c.rest), neverRead{t}), 1000)
		e, err := r.Next()
		if err != nil || string(e.Data) != "a" {
			t.Fatalf("%q %v", e.Data, err)
		}
		if got := r.Buffered(); got != c.want {
			t.Errorf("Buffered with %q waiting: %v", c.rest, got)
		}
		if string(e.Data) != "a" {
			t.Errorf("Buffered changed the event to %q", e.Data)
		}
		if c.want {
			if e, err := r.Next(); err != nil || len(e.Data) > 1 {
				t.Errorf("after %q: %q, %v", c.rest, e.Data, err)
			}
		}
	}
}

// neverRead fails the test when a reader goes to the source although an event was said to be there.
type neverRead struct{ t *testing.T }

func (n neverRead) Read([]byte) (int, error) {
	n.t.Error("the source was read")
	return 0, io.EOF
}

func TestAppendEvent(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"", "a", "data: a\n\n"},
		{"x", "a", "event: x\ndata: a\n\n"},
		{"", "a\nb\r\nc\rd", "data: a\ndata: b\ndata: c\ndata: d\n\n"},
		{"", "", "data: \n\n"},
	} {
		if got := string(AppendEvent([]byte("|"), c.name, []byte(c.data))); got != "|"+c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, c := range samples {
		f.Add([]byte(c.in), 3)
	}
	f.Fuzz(func(t *testing.T, in []byte, n int) {
		n = max(n&63, 1)
		want := reference(string(in))
		got, err := readAll(&splitReader{in, n}, 1<<20)
		if err != io.EOF {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("pieces of %d: %s", n, diff)
		}
		var again []byte
		for _, e := range got {
			again = AppendEvent(again, e.Name, []byte(e.Data))
		}
		back, _ := readAll(bytes.NewReader(again), 1<<21)
		if diff := cmp.Diff(got, back); diff != "" {
			t.Fatalf("written and read: %s", diff)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	one := []byte("data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word\"}}]}\n\n")
	text := bytes.Repeat(one, 1000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(bytes.NewReader(text), 1<<20)
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
	}
}
