package query

import (
	"fmt"
	"math"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"
)

// parseScalar's error says what was expected.
func parseScalar(t Type, s string) (int64, error) {
	switch t {
	case Number:
		return parseSize(s)
	case Duration:
		return parseDuration(s)
	case Money:
		usd, err := strconv.ParseFloat(strings.TrimPrefix(s, "$"), 64)
		if err != nil || !(math.Abs(usd) <= 1e6) { // beyond it, nano-dollars of a float are no longer exact
			return 0, fmt.Errorf("an amount in dollars, such as 0.05")
		}
		return int64(math.Round(usd * 1e9)), nil
	case Bool:
		switch strings.ToLower(s) {
		case "true", "yes", "1":
			return 1, nil
		case "false", "no", "0":
			return 0, nil
		}
		return 0, fmt.Errorf("true or false")
	}
	return parseTime(s)
}

func parseSize(s string) (int64, error) {
	scale := 1.0
	if s != "" {
		switch s[len(s)-1] {
		case 'k', 'K':
			scale = 1e3
		case 'm', 'M':
			scale = 1e6
		case 'g', 'G':
			scale = 1e9
		}
	}
	if scale == 1 {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > -1<<53 && n < 1<<53 {
			return n, nil
		}
		return 0, fmt.Errorf("a whole number, such as 200 or 10k")
	}
	x, err := strconv.ParseFloat(s[:len(s)-1], 64)
	if err != nil || !(math.Abs(x*scale) < 1<<53) {
		return 0, fmt.Errorf("a number, such as 200 or 10k")
	}
	return int64(math.Round(x * scale)), nil
}

func parseDuration(s string) (int64, error) {
	if ms, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(ms) < 1e12 {
		return int64(math.Round(ms * 1e6)), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("a duration, such as 300ms or 2s")
	}
	return int64(d), nil
}

func parseTime(s string) (int64, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return Nanos(t), nil
		}
	}
	return 0, fmt.Errorf("a time, such as 2026-03-01T12:00:00Z, 2026-03-01 or -1h")
}

// relative reads now, -1h, now-2d, now+30m; units are those of durations, d and w. canonical is how it is printed.
func relative(s string, now time.Time) (at time.Time, canonical string, ok bool) {
	low := strings.ToLower(s)
	rest, named := strings.CutPrefix(low, "now")
	if rest == "" && named {
		return now, "now", true
	}
	if rest == "" || rest[0] != '-' && rest[0] != '+' {
		return at, "", false
	}
	d, ok := length(rest[1:])
	if !ok {
		return at, "", false
	}
	if rest[0] == '-' {
		d = -d
	}
	return now.Add(d), "now" + rest, true
}

// length reads a length of time; what is longer than a century is none.
func length(s string) (time.Duration, bool) {
	scale := map[byte]time.Duration{'d': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if n := len(s) - 1; n > 0 && scale[s[n]] > 0 {
		x, err := strconv.ParseFloat(s[:n], 64)
		d := x * float64(scale[s[n]])
		return time.Duration(d), err == nil && d >= 0 && d < float64(maxSpan)
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d >= 0 && d < maxSpan && s[0] != '+' && s[0] != '-'
}

const maxSpan = 100 * 365 * 24 * time.Hour

// Bounds of patterns: what they compile to must be small enough for the engine of any index.
const (
	maxPattern = 500    // bytes
	maxProgram = 20_000 // instructions, and ranges of characters in them
)

// compile reads an RE2 pattern.
func compile(t token) (*regexp.Regexp, error) {
	if len(t.text) > maxPattern {
		return nil, badFilter(t.pos, "the pattern is longer than %d bytes", maxPattern)
	}
	tree, err := syntax.Parse(t.text, syntax.Perl)
	if err != nil {
		return nil, badFilter(t.pos, "the pattern is not valid: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil || sizeOf(prog) > maxProgram {
		return nil, badFilter(t.pos, "the pattern is too large")
	}
	if strings.Contains(t.text, "(?<") || strings.Contains(t.text, "(?P<") {
		return nil, badFilter(t.pos, "the pattern must not name groups")
	}
	re, err := regexp.Compile(t.text)
	if err != nil {
		return nil, badFilter(t.pos, "the pattern is not valid")
	}
	return re, nil
}

func sizeOf(p *syntax.Prog) (n int) {
	for _, i := range p.Inst {
		n += 1 + len(i.Rune)/2
	}
	return n
}

// nearest is the field a misspelt name is closest to, or "".
func nearest(name string) string {
	best, at := "", min(3, (len(name)+2)/3+1)
	for _, f := range Fields {
		if d := distance(strings.ToLower(name), f.Name); d < at {
			best, at = f.Name, d
		}
	}
	return best
}

// distance is how many letters must be added, dropped, changed or swapped.
func distance(a, b string) int {
	if len(a) > 40 {
		return len(a)
	}
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
