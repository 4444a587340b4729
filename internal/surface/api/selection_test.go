package api

import "testing"

func TestFieldNamedTakesBackquotes(t *testing.T) {
	for name, want := range map[string]string{"attributes.`odd key`": "odd key", "`attributes.odd key`": "odd key", "metadata.a": "a", "`model`": ""} {
		if f, path, err := fieldNamed("group_by", name); err != nil || f == nil || path != want {
			t.Errorf("%s: %q, %v", name, path, err)
		}
	}
}
