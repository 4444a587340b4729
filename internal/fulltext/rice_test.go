package fulltext

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// rowOfDensity is a row of which about so many bits are set.
func rowOfDensity(r *rand.Rand, width int, p float64) []byte {
	row := make([]byte, width)
	for i := range width * 8 {
		if r.Float64() < p {
			row[i/8] |= 1 << (i % 8)
		}
	}
	return row
}

func TestRowsAreReadAsTheyWereWritten(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for _, p := range []float64{0, 1e-4, 0.01, 0.15, 0.3, 0.5, 0.8, 0.999, 1} {
		for _, width := range []int{1, 7, 8, 32, 33, 900, 20_000} {
			var rows []byte
			for range 5 {
				rows = append(rows, rowOfDensity(r, width, p)...)
			}
			bursts := make([]byte, width) // gaps that are nothing like their mean
			bursts[width-1] = 0xff
			rows = append(rows, bursts...)
			r := bitReader{b: appendRows(nil, rows, width)}
			got := make([]byte, width)
			for i := range len(rows) / width {
				if !r.row(got) || !bytes.Equal(got, rows[i*width:][:width]) {
					t.Fatalf("row %d of %d bytes and density %v is read otherwise than written", i, width, p)
				}
			}
		}
	}
}

func TestRowsTakeLittleMoreThanTheirInformation(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	for _, p := range []float64{0.003, 0.02, 0.07, 0.15, 0.3, 0.45, 0.7, 0.97} {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			const width = 4000
			row := rowOfDensity(r, width, p)
			p := float64(countOnes(row)) / (8 * width)
			least := width * -(p*math.Log2(p) + (1-p)*math.Log2(1-p))
			got := len(appendRows(nil, row, width))
			if float64(got) > 1.08*least {
				t.Errorf("%d bytes, where %.0f would do", got, least)
			}
		})
	}
}

func TestDamagedRowsAreNoticed(t *testing.T) {
	r := rand.New(rand.NewPCG(25, 26))
	row := rowOfDensity(r, 300, 0.1)
	code := appendRows(nil, row, len(row))
	for n := range code {
		if (&bitReader{b: code[:n]}).row(row) {
			t.Errorf("the first %d of %d bytes are taken for a row", n, len(code))
		}
	}
	for range 20_000 { // none may panic or run on
		bad := slices.Clone(code)
		for range 1 + r.IntN(3) {
			bad[r.IntN(len(bad))] = byte(r.Uint32())
		}
		(&bitReader{b: bad}).row(row)
	}
}

func BenchmarkRow(b *testing.B) {
	row := rowOfDensity(rand.New(rand.NewPCG(1, 2)), 900, 0.15)
	code := appendRows(nil, row, len(row))
	b.Run("write", func(b *testing.B) {
		b.SetBytes(900)
		for range b.N {
			code = appendRows(code[:0], row, len(row))
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(900)
		for range b.N {
			(&bitReader{b: code}).row(row)
		}
	})
}
