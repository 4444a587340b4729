package api

import (
	"strings"
	"testing"

	"weir/internal/query"
)

func TestFieldNamedTakesBackquotes(t *testing.T) {
	for name, want := range map[string]string{"attributes.`odd key`": "odd key", "`attributes.odd key`": "odd key", "metadata.a": "a", "`model`": ""} {
		if f, path, err := fieldNamed("group_by", name); err != nil || f == nil || path != want {
			t.Errorf("%s: %q, %v", name, path, err)
		}
	}
}

func TestGroupsByTwoFieldsAtMost(t *testing.T) {
	for in, want := range map[string]string{
		"model,status": "", "model,metadata.`a,b`": "", "model,status,provider": "group_by takes two fields at most", "model,nope": `no groups by "nope"`, "model,model": "twice",
	} {
		var a query.Aggregate
		err := (&aggregateInput{GroupBy: in}).groups(&a)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", in, err, want)
		}
	}
}
