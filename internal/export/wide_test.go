package export

import (
	"bytes"
	"strings"
	"testing"
)

// TestLargeBodiesStandOnce: a body of megabytes is compressed in its page, and stands in no header, index or footer.
func TestLargeBodiesStandOnce(t *testing.T) {
	var out bytes.Buffer
	w := NewParquet(&out)
	it := Item{Span: sample(1), Input: []byte(strings.Repeat("a long prompt ", 400_000)), Output: []byte(strings.Repeat("a long answer ", 1000))}
	it.Span.ErrorText = strings.Repeat("e", 1<<20)
	if err := w.Write(it); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 100<<10 {
		t.Errorf("%d bytes for texts that compress to almost nothing", out.Len())
	}
}
