package span

import (
	"cmp"
	"slices"
	"strconv"
)

// MarkOf is what a score shows on its span.
func MarkOf(s *Score) Mark {
	m := Mark{Name: s.Name, Value: s.Value, Text: s.Text}
	switch s.Type {
	case Numeric:
		m.Text = strconv.FormatFloat(s.Value, 'g', -1, 64)
	case Boolean:
		m.Text = strconv.FormatBool(s.Value != 0)
	}
	if len(m.Text) > maxMark {
		m.Text = cut(m.Text, maxMark)
	}
	return m
}

// maxMark bounds the text of a mark in bytes; the score itself has all of it.
const maxMark = 256

func cut(s string, n int) string {
	for n > 0 && s[n]&0xC0 == 0x80 { // not within a character
		n--
	}
	return s[:n]
}

// Marks are the latest of scores by name, in order of names.
func Marks(scores []*Score) []Mark {
	if len(scores) == 0 {
		return nil
	}
	latest := map[string]*Score{}
	for _, s := range scores {
		if old := latest[s.Name]; old == nil || cmp.Or(s.Updated.Compare(old.Updated), cmp.Compare(s.ID, old.ID)) > 0 {
			latest[s.Name] = s
		}
	}
	out := make([]Mark, 0, len(latest))
	for _, s := range latest {
		out = append(out, MarkOf(s))
	}
	slices.SortFunc(out, func(a, b Mark) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
