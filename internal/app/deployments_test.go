package app

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"weir/internal/config"
)

// A variable of one provider that does not suffice must not keep a start without configuration from serving the others.
func TestFoundModelsMayFail(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_REGION_NAME", "AWS_PROFILE", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	vars := map[string]string{"OPENAI_API_KEY": "k", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
	c, _, err := config.Load("", func(n string) (string, bool) { v, ok := vars[n]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	p := &providers{factories: factories(), http: http.DefaultClient, log: slog.New(slog.NewTextHandler(&log, nil))}
	table, err := p.table(&c)
	if err != nil {
		t.Fatal(err)
	}
	if ds := table.Deployments(); len(ds) != 1 || ds[0].Group != "openai/*" || !strings.Contains(log.String(), "bedrock/*") {
		t.Errorf("%d deployments, log %s", len(ds), &log)
	}
	asked := config.Config{Models: []config.Model{{Name: "b", Provider: "bedrock", Model: "amazon.nova-pro-v1:0"}}}
	if _, err := p.table(&asked); err == nil {
		t.Error("a model that was asked for is left out silently")
	}
}
