package duckdb

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Whenever the process is killed, the file holds exactly the rows up to its position, and no less than was promised.
func TestKilledProcess(t *testing.T) {
	if dir := os.Getenv("WEIR_KILLED_INDEX"); dir != "" {
		writeForEver(t, openIn(t, dir))
	}
	dir := t.TempDir()
	var promised uint64
	for range 6 {
		promised = max(promised, killedAfter(t, dir, 7+rand.IntN(30)))
		x := openIn(t, dir)
		rows, err := x.Rows(t.Context())
		upto, ok, posErr := x.Position(t.Context())
		if err != nil || posErr != nil || !ok && upto != 0 || uint64(rows) != upto || upto < promised {
			t.Errorf("%d rows up to %d, and %d were promised (%v, %v)", rows, upto, promised, err, posErr)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if promised == 0 {
		t.Error("no process came so far as to save anything")
	}
}

// writeForEver applies spans, saves now and then, and says which position is held. A position is a number of rows.
func writeForEver(t *testing.T, x *Index) {
	upto, _, err := x.Position(t.Context())
	for i := 0; err == nil; i++ {
		n := 1 + rand.IntN(4000)
		err = x.Apply(t.Context(), weekSpans(int(upto), n, 1_000_000), upto+uint64(n))
		upto += uint64(n)
		held := uint64(0)
		if err == nil && i%7 == 6 {
			held, err = x.Checkpoint(t.Context())
		}
		fmt.Println("held", held)
	}
	t.Fatal(err)
}

// killedAfter runs a process that writes and kills it after some steps. It returns the last position it said was held.
func killedAfter(t *testing.T, dir string, steps int) (held uint64) {
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledProcess$")
	c.Env = append(os.Environ(), "WEIR_KILLED_INDEX="+dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	for i := 0; i <= steps && said.Scan(); i++ {
		var n uint64
		if _, err := fmt.Sscanf(said.Text(), "held %d", &n); err != nil {
			t.Fatalf("%s (%v)", said.Text(), err)
		}
		held = max(held, n)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // it was killed
	if _, err := os.Stat(filepath.Join(dir, "index.duckdb")); err != nil {
		t.Fatal(err)
	}
	return held
}
