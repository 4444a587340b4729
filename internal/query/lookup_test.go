package query

import (
	"strings"
	"testing"
)

// Paths stand in backquotes in filters, so they do wherever a field is named.
func TestLookupTakesBackquotes(t *testing.T) {
	for name, want := range map[string]string{"attributes.`odd key`": "odd key", "attributes.odd key": "odd key", "metadata.a.b": "a.b", "metadata.`": "`"} {
		if f, path := Lookup(name); f == nil || path != want {
			t.Errorf("%s: %v %q", name, f, path)
		}
	}
}

func TestMissingPathIsExplained(t *testing.T) {
	for _, filter := range []string{"metadata = 3", "metadata. = 3"} {
		if _, err := Parse(filter); err == nil || !strings.Contains(err.Error(), "a path must follow it, as in metadata.name") {
			t.Errorf("%s: %v", filter, err)
		}
	}
}
