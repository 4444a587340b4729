package logging

import (
	"bytes"
	"strings"
	"testing"
)

func TestLevelsPerComponent(t *testing.T) {
	var b bytes.Buffer
	r := New(&b, "text")
	gateway, store := r.For("gateway"), r.For("store")
	if err := r.Set("gateway", "debug"); err != nil {
		t.Fatal(err)
	}
	gateway.Debug("one")
	store.Debug("two")
	store.Info("three")
	_ = r.Set("gateway", "")
	gateway.Debug("four")
	_ = r.Set("", "error")
	store.With("k", "v").Warn("five")
	got := b.String()
	for msg, want := range map[string]bool{"one": true, "two": false, "three": true, "four": false, "five": false} {
		if strings.Contains(got, "msg="+msg) != want {
			t.Errorf("message %s: written must be %v in\n%s", msg, want, got)
		}
	}
	if r.Set("nobody", "info") == nil || r.Set("gateway", "loud") == nil {
		t.Error("unknown component and level must be refused")
	}
	if l := r.Levels(); l["store"] != "error" {
		t.Errorf("levels %v", l)
	}
}

func TestErrorsAreCounted(t *testing.T) {
	var b bytes.Buffer
	r := New(&b, "text")
	store := r.For("store")
	store.Error("one")
	store.With("k", "v").WithGroup("g").Error("two")
	store.Warn("three")
	r.For("edge").Info("four")
	if got := r.Errors(); got["store"] != 2 || got["edge"] != 0 || len(got) != 2 {
		t.Errorf("errors %v", got)
	}
}
