package query

import (
	"encoding/hex"
	"regexp"
	"strings"

	"weir/internal/span"
)

// varying are the parts of error messages that differ between occurrences of one error, and what stands for them.
var varying = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"'<>)\]]+`), "<url>"},
	{regexp.MustCompile("\"[^\"\\n]*\"|`[^`\\n]*`|“[^”\\n]*”"), "<text>"},
	{regexp.MustCompile(`(^|[\s(\[{:=,])'[^'\n]*'`), "$1<text>"},
	{regexp.MustCompile(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "<id>"},
	{regexp.MustCompile(`(^|[\s(\[{:=,])(?:[A-Za-z]:\\|\.{0,2}/)[^\s:,;)\]}]+`), "$1<path>"},
	{regexp.MustCompile(`\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]+)?\b`), "<ip>"},
	{regexp.MustCompile(`(?i)\b(?:0x)?[0-9a-f]*(?:[0-9][a-f]|[a-f][0-9])[0-9a-f]{6,}\b`), "<id>"},
	{regexp.MustCompile(`\b[A-Za-z]+[_-][A-Za-z0-9]*[0-9][A-Za-z0-9]{7,}\b`), "<id>"},
	{regexp.MustCompile(`[0-9]+(?:[.,:][0-9]+)*`), "<n>"},
	{regexp.MustCompile(`\s+`), " "},
}

// Bounds of an error's text and of its shape, in bytes.
const (
	maxShapeText = 1000
	maxShape     = 300
)

// Shape is an error message without its numbers, ids, quoted texts, addresses and paths: equal for errors alike.
func Shape(message string) string {
	s := cutTo(strings.ToValidUTF8(message, "\uFFFD"), maxShapeText)
	for _, v := range varying {
		s = v.pattern.ReplaceAllString(s, v.name)
	}
	return cutTo(strings.TrimSpace(s), maxShape)
}

// ShapeID is 12 hex digits that stand for a shape, or "" for the empty one.
func ShapeID(shape string) string {
	if shape == "" {
		return ""
	}
	h := span.HashOf([]byte(shape))
	return hex.EncodeToString(h[:6])
}

// ShapeOf is the ShapeID of a span's error.
func ShapeOf(s *span.Span) string {
	if s.ErrorText == "" {
		return ""
	}
	return ShapeID(Shape(s.ErrorText))
}
