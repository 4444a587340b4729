package app

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // the index is read from outside

	"weir/internal/erase"
	"weir/internal/store/pebble"
	"weir/internal/store/storetest"
	"weir/internal/tenant"
)

// ask calls a native route as the administrator and decodes the answer.
func (r *rig) ask(t *testing.T, method, path, body string, out any) int {
	t.Helper()
	status, _, text := r.do(t, method, "/api/v1"+path, body)
	if out != nil && status < 300 {
		if err := json.Unmarshal([]byte(text), out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	if status >= 300 {
		t.Logf("%s %s: %d %s", method, path, status, text)
	}
	return status
}

// converse makes calls of a growing conversation of a user.
func (r *rig) converse(t *testing.T, user string, texts ...string) {
	t.Helper()
	type message map[string]string
	messages := []message{{"role": "system", "content": "the system prompt all share"}}
	for _, text := range texts {
		messages = append(messages, message{"role": "user", "content": text})
		b, err := json.Marshal(map[string]any{"model": "m", "messages": messages, "user": user})
		if err != nil {
			t.Fatal(err)
		}
		status, _, answer := r.do(t, http.MethodPost, "/v1/chat/completions", string(b))
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
		var a struct {
			Choices []struct{ Message struct{ Content string } }
		}
		if err := json.Unmarshal([]byte(answer), &a); err != nil {
			t.Fatal(err)
		}
		messages = append(messages, message{"role": "assistant", "content": a.Choices[0].Message.Content})
	}
}

// appSpans sends a trace of an application over OTLP.
func (r *rig) appSpans(t *testing.T, trace, user, text string) {
	t.Helper()
	now := time.Now().UnixNano()
	attribute := func(k, v string) string { return fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, k, v) }
	span := func(id, parent, attributes string) string {
		return fmt.Sprintf(`{"traceId":%q,"spanId":%q,"parentSpanId":%q,"name":"step","kind":1,"startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[%s]}`,
			trace, id, parent, now, now+1e6, attributes)
	}
	body := `{"resourceSpans":[{"resource":{"attributes":[` + attribute("service.name", "app") + `]},"scopeSpans":[{"spans":[` +
		span("00000000000000a1", "", attribute("user.id", user)+","+attribute("openinference.span.kind", "CHAIN")+","+attribute("input.value", text)) + "," +
		span("00000000000000a2", "00000000000000a1", attribute("openinference.span.kind", "TOOL")+","+attribute("output.value", "tool said "+text)) + `]}]}]}`
	r.export(t, "/v1/traces", body)
}

// appPoint sends a data point of a metric that names a user.
func (r *rig) appPoint(t *testing.T, user, note string) {
	t.Helper()
	r.export(t, "/v1/metrics", fmt.Sprintf(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"gen_ai.client.token.usage","gauge":{"dataPoints":[{"timeUnixNano":"%d","asInt":"1",
		"attributes":[{"key":"user.id","value":{"stringValue":%q}},{"key":"note","value":{"stringValue":%q}}]}]}}]}]}]}`, time.Now().UnixNano(), user, note))
}

func (r *rig) export(t *testing.T, path, body string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+masterKey)
	q.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if answer, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", res.StatusCode, answer)
	}
}

type erasureState struct {
	Job, State, Error string
	Traces, Spans     int
	SharedKept        int `json:"shared_kept"`
	Certificate       *struct{ Counts map[string]int }
}

func (r *rig) erase(t *testing.T, body string) (e erasureState) {
	t.Helper()
	if status := r.ask(t, http.MethodPost, "/erase", body, &e); status != http.StatusAccepted {
		t.Fatalf("erase: %d", status)
	}
	for deadline := time.Now().Add(60 * time.Second); e.State == "running"; {
		if time.Now().After(deadline) {
			t.Fatalf("the erasure does not end: %+v", e)
		}
		r.ask(t, http.MethodGet, "/erase/"+e.Job, "", &e)
	}
	if e.State != "done" {
		t.Fatalf("%+v\n%s", e, r.log.String())
	}
	return e
}

// What was recorded of somebody is in no file any more, in whatever form; what was recorded of others is whole.
func TestErasedUserIsInNoFile(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, oneModel("m", fake(t)))
	r.converse(t, "alice-needle@example.com", "alice says 猫が好き", "alice asks alicequestion two", "alice ends 終わり")
	r.converse(t, "bob@example.com", "bob says 犬が好き", "bob asks bobquestion two")
	r.appSpans(t, strings.Repeat("a", 32), "alice-needle@example.com", "app text of alice 東京タワー")
	r.appSpans(t, strings.Repeat("b", 32), "bob@example.com", "app text of bob 大阪城")
	r.appPoint(t, "alice-needle@example.com", "alicepoint")
	r.appPoint(t, "bob@example.com", "bobpoint")
	for _, note := range []string{`"comment":"scored because alicescore"`, `"comment":"scored again because alicescore"`} {
		if s := r.ask(t, http.MethodPost, "/scores", `{"trace":"`+strings.Repeat("a", 32)+`","name":"quality","value":1,`+note+`}`, nil); s != http.StatusCreated {
			t.Fatal(s)
		}
	}
	if s := r.ask(t, http.MethodPost, "/comments", `{"trace":"`+strings.Repeat("a", 32)+`","text":"alicecomment"}`, nil); s != http.StatusCreated {
		t.Fatal(s)
	}
	var shared struct{ Token string }
	if s := r.ask(t, http.MethodPost, "/shares", `{"trace":"`+strings.Repeat("a", 32)+`","expires":"1d","bodies":true}`, &shared); s != http.StatusCreated {
		t.Fatal(s)
	}
	var found struct{ Count int }
	if r.ask(t, http.MethodGet, "/traces/count", "", &found); found.Count != 9 {
		t.Fatalf("%d spans before", found.Count)
	}
	data := filepath.Join(dir, "data")
	const body = `{"user":"alice-needle@example.com"`
	if dry := r.erase(t, body+`,"dry_run":true}`); dry.Traces != 4 || dry.Spans != 5 {
		t.Errorf("dry run: %+v", dry)
	}
	storetest.Erased(t, data, nil, []string{"alice-needle", "猫が好き", "alicequestion", "東京タワー", "alicescore", "alicecomment", "alicepoint"})

	e := r.erase(t, body+`,"reason":"asked for"}`)
	if e.Traces != 4 || e.Spans != 5 || e.SharedKept == 0 || e.Certificate == nil || e.Certificate.Counts["notes"] != 2 || e.Certificate.Counts["shares"] != 1 || e.Certificate.Counts["points"] != 1 {
		t.Errorf("%+v", e)
	}
	gone := []string{"alice-needle", "猫が好き", "alicequestion", "終わり", "東京タワー", "alicescore", "alicecomment", "alice says", "app text of alice", "alicepoint"}
	kept := []string{"bob@example.com", "犬が好き", "bobquestion", "bobpoint", "大阪城", "the system prompt all share"}
	storetest.Erased(t, data, gone, kept)
	if r.ask(t, http.MethodGet, "/traces/count", "", &found); found.Count != 4 {
		t.Errorf("%d spans of others are left, want 4", found.Count)
	}
	if s, _, _ := r.do(t, http.MethodGet, "/api/v1/share/"+shared.Token, ""); s != http.StatusNotFound {
		t.Errorf("a share of an erased trace answers %d", s)
	}
	var log struct {
		Items []struct{ Action, Target string }
	}
	if r.ask(t, http.MethodGet, "/audit?action=erase", "", &log); len(log.Items) != 1 || log.Items[0].Target != e.Job {
		t.Errorf("audit log: %+v", log)
	}

	// Bob's conversation goes on, and so may somebody with the very texts that were erased.
	r.converse(t, "bob@example.com", "bob says 犬が好き", "bob asks bobquestion two", "bob goes on")
	r.converse(t, "carol@example.com", "alice says 猫が好き", "carol goes on")
	var list struct{ Items []struct{ Trace, ID string } }
	r.ask(t, http.MethodGet, "/traces?limit=500", "", &list)
	for _, i := range list.Items {
		for _, part := range []string{"input", "output"} {
			if s, _, text := r.do(t, http.MethodGet, "/api/v1/traces/"+i.Trace+"/spans/"+i.ID+"/"+part, ""); s != http.StatusOK && i.ID != "00000000000000a1" && i.ID != "00000000000000a2" {
				t.Errorf("%s of %s: %d %s", part, i.Trace, s, text)
			}
		}
	}
	if len(list.Items) != 9 {
		t.Errorf("%d spans, want 9", len(list.Items))
	}
	r.erase(t, `{"user":"carol@example.com"}`)
	r.Stop()
	storetest.Erased(t, data, gone, kept)
	wantIndexWithout(t, filepath.Join(data, indexDir, "index.duckdb"), gone)
}

// wantIndexWithout reads every value of the index.
func wantIndexWithout(t *testing.T, file string, gone []string) {
	t.Helper()
	db, err := sql.Open("duckdb", file+"?access_mode=READ_ONLY")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT CAST(spans AS VARCHAR) FROM spans`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		n++
		for _, g := range gone {
			if strings.Contains(text, g) {
				t.Errorf("the index holds %q in %s", g, text)
			}
		}
	}
	if err := rows.Err(); err != nil || n == 0 {
		t.Errorf("%d rows (%v)", n, err)
	}
}

// A job that a stop interrupted is finished by the next start.
func TestErasureGoesOnAfterARestart(t *testing.T) {
	dir := t.TempDir()
	yaml := oneModel("m", fake(t))
	r := start(t, dir, yaml)
	r.converse(t, "dora", "dora says needle")
	r.converse(t, "emil", "emil says something")
	r.Stop()
	data := filepath.Join(dir, "data")
	truth, err := pebble.Open(filepath.Join(data, truthDir), pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	job := erase.Job{ID: "j1", Project: tenant.DefaultProject, Selection: erase.Selection{User: "dora"}, Kind: "user", State: erase.Running, Actor: "root", Created: time.Now()}
	b, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(truth.PutErasure(t.Context(), "j1", b), truth.Close()); err != nil {
		t.Fatal(err)
	}
	storetest.Erased(t, data, nil, []string{"dora says needle"})
	r = start(t, dir, yaml)
	e := erasureState{State: "running"}
	for deadline := time.Now().Add(60 * time.Second); e.State == "running" && time.Now().Before(deadline); {
		r.ask(t, http.MethodGet, "/erase/j1", "", &e)
	}
	if e.State != "done" || e.Traces != 1 {
		t.Errorf("%+v", e)
	}
	storetest.Erased(t, data, []string{"dora"}, []string{"emil says something"})
	var list struct{ Items []erasureState }
	if r.ask(t, http.MethodGet, "/erase", "", &list); len(list.Items) != 1 {
		t.Errorf("%+v", list)
	}
}
