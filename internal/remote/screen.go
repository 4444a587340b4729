package remote

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Style is how a terminal is written to.
type Style struct {
	Colour bool
	Width  int // columns; 0 = lines are not cut
}

// Colours of the terminal, by their SGR number.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
	dim    = "2"
)

func (s Style) paint(colour, text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// line is a span on one line, and in full with what it says below.
func (s Style) line(r *row, full bool) string {
	at := r.Start
	if t, err := time.Parse(time.RFC3339Nano, r.Start); err == nil {
		at = t.Local().Format("15:04:05.000")
	}
	status, colour := r.Status, green
	switch r.Status {
	case "error", "interrupted":
		colour = red
		if r.HTTP >= 400 {
			status = fmt.Sprint(r.HTTP)
		}
	case "canceled", "running":
		colour = yellow
	}
	head := []string{
		s.paint(dim, fit(at, 12)), s.paint(colour, fit(status, 5)), s.paint(cyan, fit(cmp.Or(r.Model, r.Name), 28)),
		fit(cmp.Or(r.Email, r.User, r.EndUser, r.KeyAlias, "-"), 18), right(duration(r.DurationMS), 7), right(tokens(r.Usage), 13), right(dollars(r.CostUSD), 9),
	}
	const taken = 12 + 5 + 28 + 18 + 7 + 13 + 9 + 7 // columns and the spaces behind them
	preview := flat(cmp.Or(r.ErrorText, r.OutputPreview, r.InputPreview))
	out := strings.Join(head, " ") + " "
	if full {
		return strings.TrimRight(out, " ") + "\n" + s.details(r)
	}
	if s.Width > 0 {
		preview = cut(preview, max(s.Width-taken-1, 10))
	}
	if r.ErrorText != "" {
		preview = s.paint(red, preview)
	}
	return strings.TrimRight(out+preview, " ") + "\n"
}

func (s Style) details(r *row) string {
	var b strings.Builder
	add := func(label, text string) {
		if text = clean(text); text != "" {
			fmt.Fprintf(&b, "  %s %s\n", s.paint(dim, fit(label, 6)), strings.ReplaceAll(text, "\n", "\n         "))
		}
	}
	add("trace", r.Trace+"/"+r.ID)
	add("in", r.InputPreview)
	add("out", r.OutputPreview)
	add("error", strings.TrimSpace(r.ErrorType+" "+r.ErrorText))
	return b.String()
}

func duration(ms float64) string {
	switch d := time.Duration(ms * float64(time.Millisecond)); {
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d >= time.Second:
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
	return fmt.Sprintf("%.0fms", ms)
}

func tokens(u usage) string {
	if u.prompt()+u.Output == 0 {
		return ""
	}
	return short(u.prompt()) + "→" + short(u.Output)
}

func short(n int64) string {
	switch {
	case n >= 1_000_000:
		return fmt.Sprintf("%.1fM", float64(n)/1e6)
	case n >= 10_000:
		return fmt.Sprintf("%.1fk", float64(n)/1e3)
	}
	return fmt.Sprint(n)
}

func dollars(v float64) string {
	if v == 0 {
		return ""
	}
	if v < 0.01 && v > -0.01 {
		return fmt.Sprintf("$%.5f", v)
	}
	return fmt.Sprintf("$%.3f", v)
}

// clean takes out what would steer the terminal: what models and clients write is shown, never obeyed.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		if r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
}

// flat is text on one line.
func flat(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// columns is how wide a rune is on a terminal: two for East Asian wide characters, none for combining ones.
func columns(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r >= 0x1100 && (r <= 0x115F || r >= 0x2E80 && r <= 0xA4CF && r != 0x303F || r >= 0xAC00 && r <= 0xD7A3 || r >= 0xF900 && r <= 0xFAFF ||
		r >= 0xFE30 && r <= 0xFE6F || r >= 0xFF00 && r <= 0xFF60 || r >= 0xFFE0 && r <= 0xFFE6 || r >= 0x1F300 && r <= 0x1FAFF || r >= 0x20000 && r <= 0x3FFFD):
		return 2
	}
	return 1
}

func width(s string) (n int) {
	for _, r := range s {
		n += columns(r)
	}
	return n
}

// cut shortens to n columns.
func cut(s string, n int) string {
	if width(s) <= n {
		return s
	}
	used := 0
	for i, r := range s {
		if used += columns(r); used > n-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// fit is text in exactly n columns.
func fit(s string, n int) string {
	s = cut(flat(s), n)
	return s + strings.Repeat(" ", max(n-width(s), 0))
}

func right(s string, n int) string { return strings.Repeat(" ", max(n-width(s), 0)) + s }

// explain points at the place of a filter that is wrong.
func explain(filter string, e *Error) error {
	if e.Position == nil || *e.Position < 0 || *e.Position > len(filter) || strings.Contains(filter, "\n") {
		return e
	}
	return fmt.Errorf("%s\n  %s\n  %s^", e.Message, filter, strings.Repeat(" ", width(filter[:*e.Position])))
}
