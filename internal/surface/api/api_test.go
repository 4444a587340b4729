package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/openapi.json")

const committed = "../../../docs/openapi.json"

// The UI's client is generated from the committed description.
func TestDocumentIsCommitted(t *testing.T) {
	var got bytes.Buffer
	if err := json.Indent(&got, New(Deps{Version: "1"}).Document(), "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	if *update {
		if err := os.WriteFile(committed, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("docs/openapi.json is stale; run go test ./internal/surface/api -run TestDocumentIsCommitted -update")
	}
}
