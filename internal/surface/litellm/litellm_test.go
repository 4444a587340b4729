package litellm_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"weir/internal/auth"
	"weir/internal/budget"
	"weir/internal/catalog"
	"weir/internal/edge"
	"weir/internal/gateway"
	"weir/internal/money"
	"weir/internal/surface/litellm"
	"weir/internal/tenant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const master = "sk-master-of-tests"

type models struct{}

func deployment(id, group string) *gateway.Deployment {
	return &gateway.Deployment{
		ID: id, Group: group, Info: map[string]any{"team": "blue", "id": "not this"},
		Target: gateway.Target{Provider: "openai", Model: "gpt-real", BaseURL: "https://user:pw@up.example.com/v1?token=x", APIKey: "sk-upstream-secret"},
		Model: catalog.Model{
			ID: "gpt-real", Provider: "openai", Mode: "chat", MaxInput: 1000, MaxOutput: 100, Known: true, Abilities: catalog.Abilities{Tools: true, Vision: true},
			Prices: catalog.Prices{Input: money.RateFromUSD(1e-6), Output: money.RateFromUSD(2e-6), CacheRead: money.RateFromUSD(1e-7), CacheWrite: money.RateFromUSD(3e-6)},
		},
	}
}

func (models) Deployments() []*gateway.Deployment {
	return []*gateway.Deployment{deployment("d1", "gpt"), deployment("d2", "claude"), deployment("d3", "wild/*")}
}

func (models) Health(d *gateway.Deployment) gateway.HealthState {
	if d.ID == "d2" {
		return gateway.HealthState{State: "cooldown", LastError: "429"}
	}
	return gateway.HealthState{State: "ok"}
}

type fixture struct {
	t      *testing.T
	url    string
	auth   *auth.Service
	limits *budget.Limiter
	ready  litellm.Readiness
}

func setup(t *testing.T) *fixture {
	t.Helper()
	ctx := t.Context()
	f := &fixture{t: t, ready: litellm.Readiness{Ready: true, Checks: []litellm.Check{{Name: "rows", OK: true, Detail: "/var/lib/x"}}}}
	st := newMemory(tenant.Project{ID: tenant.DefaultProject, Org: tenant.DefaultOrg}, tenant.Project{ID: "other", Org: tenant.DefaultOrg})
	f.limits = budget.NewLimiter(nil)
	log := slog.New(slog.DiscardHandler)
	var err error
	f.auth, err = auth.New(ctx, auth.Options{Store: st, MasterKey: master, Hosts: auth.NewHosts(nil, "", nil), Spend: f.limits, Log: log})
	f.must(err)
	f.must(f.auth.SetFile(ctx, auth.File{Keys: []tenant.Key{{ID: tenant.HashKey("sk-in-file"), Name: "sk-...file", Alias: "from-file"}}}))
	s := litellm.New(litellm.Deps{
		Tenants: f.auth, Models: models{}, Auth: f.auth, Version: "test", Log: log,
		Lookup: func(m string) catalog.Model {
			if m == "booked" {
				return catalog.Model{Known: true, Prices: catalog.Prices{Input: money.RateFromUSD(4e-6), Output: money.RateFromUSD(4e-6)}}
			}
			return catalog.Model{}
		},
		Expand: func(d *gateway.Deployment) []*gateway.Deployment {
			return []*gateway.Deployment{deployment(d.ID+"-one", "wild/one")}
		},
		Ready: func(context.Context) litellm.Readiness { return f.ready },
	})
	server := httptest.NewServer(edge.NewMux(edge.Deps{Auth: f.auth, Log: log}, s))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// call returns status and text; header alternates names and values.
func (f *fixture) call(method, path, key, body string, header ...string) (int, string) {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, strings.NewReader(body))
	f.must(err)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	f.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	f.must(err)
	http.DefaultClient.CloseIdleConnections()
	return res.StatusCode, string(text)
}

// ok calls as the administrator and decodes an object.
func (f *fixture) ok(method, path, body string) map[string]any {
	f.t.Helper()
	status, text := f.call(method, path, master, body)
	if status != http.StatusOK {
		f.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	return object(f.t, text)
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return m
}

func (f *fixture) generate(body string) string {
	f.t.Helper()
	return f.ok("POST", "/key/generate", body)["key"].(string)
}

func TestGenerateInfoUpdateDelete(t *testing.T) {
	f := setup(t)
	team := f.ok("POST", "/team/new", `{"team_alias":"Blue","models":["gpt"],"max_budget":5,"budget_duration":"30d"}`)["team_id"].(string)
	made := f.ok("POST", "/key/generate", `{"key_alias":"ci","duration":"30d","models":["gpt","all-team-models"],"max_budget":"1.5","budget_duration":"1d",
		"soft_budget":1,"user_id":"someone","team_id":"`+team+`","metadata":{"a":{"b":[1]}},"tags":["x"],"tpm_limit":1000,"rpm_limit":10.0,"aliases":{},"config":{}}`)
	secret := made["key"].(string)
	if !strings.HasPrefix(secret, "sk-") || made["token"] != string(tenant.HashKey(secret)) || made["token_id"] != made["token"] {
		t.Fatalf("%v", made)
	}
	expires, err := time.Parse(time.RFC3339, made["expires"].(string))
	f.must(err)
	if d := time.Until(expires); d < 719*time.Hour || d > 720*time.Hour {
		t.Errorf("expires in %v", d)
	}
	want := map[string]any{
		"key_alias": "ci", "models": []any{"gpt"}, "max_budget": 1.5, "soft_budget": 1.0, "budget_duration": "1d", "user_id": "someone", "team_id": team,
		"metadata": map[string]any{"a": map[string]any{"b": []any{1.0}}}, "tags": []any{"x"}, "tpm_limit": 1000.0, "rpm_limit": 10.0, "spend": 0.0, "blocked": nil,
	}
	for k, v := range want {
		if d := cmp.Diff(v, made[k]); d != "" {
			t.Errorf("%s: %s", k, d)
		}
	}
	for _, asked := range []string{secret, made["token"].(string)} {
		info := f.ok("GET", "/key/info?key="+asked, "")
		if info["key"] != asked || info["info"].(map[string]any)["key_alias"] != "ci" || strings.Contains(toText(info["info"]), secret) {
			t.Errorf("%v", info)
		}
	}
	f.ok("POST", "/key/update", `{"key":"`+secret+`","max_budget":null,"key_alias":"cd","duration":"-1"}`)
	info := f.ok("GET", "/key/info?key="+secret, "")["info"].(map[string]any)
	if info["max_budget"] != nil || info["key_alias"] != "cd" || info["expires"] != nil || info["rpm_limit"] != 10.0 {
		t.Errorf("%v", info)
	}
	if got := f.ok("GET", "/team/info?team_id="+team, "")["keys"].([]any); len(got) != 1 {
		t.Errorf("%v", got)
	}
	if got := f.ok("POST", "/key/delete", `{"key_aliases":["cd"]}`)["deleted_keys"]; !cmp.Equal(got, []any{"cd"}) {
		t.Errorf("%v", got)
	}
	if status, _ := f.call("GET", "/key/info", secret, ""); status != http.StatusUnauthorized {
		t.Errorf("a deleted key: %d", status)
	}
}

func toText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// TestRefusals goes through every endpoint with every kind of caller that must be refused.
func TestRefusals(t *testing.T) {
	f := setup(t)
	victim := f.generate(`{"key_alias":"victim","user_id":"u1"}`)
	member := f.generate(`{"key_alias":"member","user_id":"u2"}`)
	blocked := f.generate(`{"blocked":true}`)
	expired, _, err := f.auth.GenerateKey(t.Context(), adminOf("default"), tenant.Key{Expires: time.Now().Add(-time.Hour)}, "sk-expired-key")
	f.must(err)
	if expired.ID == "" {
		t.Fatal("no id")
	}
	f.ok("POST", "/user/new", `{"user_id":"u1","auto_create_key":false}`)
	team := f.ok("POST", "/team/new", `{"team_alias":"T"}`)["team_id"].(string)

	admins := map[string][2]string{ // path → body or query
		"POST /key/generate": {"", `{}`}, "POST /key/update": {"", `{"key":"` + victim + `","key_alias":"x"}`},
		"POST /key/delete": {"", `{"keys":["` + victim + `"]}`}, "POST /key/block": {"", `{"key":"` + victim + `"}`},
		"POST /key/unblock": {"", `{"key":"` + victim + `"}`}, "POST /user/new": {"", `{}`}, "POST /team/new": {"", `{}`},
		"GET /key/info": {"?key=" + victim, ""}, "GET /user/info": {"?user_id=u1", ""}, "GET /team/info": {"?team_id=" + team, ""},
	}
	for route, c := range admins {
		method, path, _ := strings.Cut(route, " ")
		for name, who := range map[string]struct {
			key     string
			header  []string
			status  int
			kind    string
			message string
		}{
			"nobody":  {"", nil, 401, "auth_error", "No api key passed in"},
			"unknown": {"sk-unknown-key", nil, 401, "token_not_found_in_db", "Invalid proxy server token passed"},
			"blocked": {blocked, nil, 401, "auth_error", "Key is blocked"},
			"expired": {"sk-expired-key", nil, 401, "expired_key", "Expired Key"},
			"member":  {member, nil, 403, "auth_error", ""},
		} {
			status, text := f.call(method, path+c[0], who.key, c[1], who.header...)
			checkError(t, route+" by "+name, status, text, who.status, who.kind, who.message)
		}
	}
	for route, status := range map[string]int{
		"POST /key/update": 404, "POST /key/delete": 404, "POST /key/block": 404, "GET /key/info": 404, "GET /team/info": 404,
	} {
		method, path, _ := strings.Cut(route, " ")
		got, text := f.call(method, path+admins[route][0], master, admins[route][1], "X-Weir-Project", "other")
		checkError(t, route+" from another project", got, text, status, "not_found_error", "")
	}
	for _, path := range []string{"/key/list", "/team/list", "/user/list", "/model/info", "/v1/model/info", "/spend/calculate"} {
		method := "GET"
		if path == "/spend/calculate" {
			method = "POST"
		}
		status, text := f.call(method, path, "", "{}")
		checkError(t, path, status, text, 401, "auth_error", "")
	}
	for _, body := range []string{`{"key":"sk-in-file"}`} {
		for _, path := range []string{"/key/block", "/key/update"} {
			status, text := f.call("POST", path, master, body)
			checkError(t, path+" of the file's key", status, text, 403, "auth_error", "configuration file")
		}
	}
	status, text := f.call("POST", "/key/delete", master, `{"keys":["`+victim+`","sk-unknown"]}`)
	checkError(t, "half a deletion", status, text, 404, "not_found_error", "")
	if got, _ := f.call("GET", "/key/info", victim, ""); got != 200 {
		t.Error("a refused deletion deleted, or a refused block blocked:", got)
	}
}

func adminOf(p tenant.ProjectID) *tenant.Identity {
	return &tenant.Identity{Role: tenant.RoleAdmin, Org: tenant.DefaultOrg, Project: p}
}

func checkError(t *testing.T, what string, status int, text string, wantStatus int, kind, message string) {
	t.Helper()
	var e struct {
		Error struct {
			Message, Type string
			Code          any
		}
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Errorf("%s: %v: %s", what, err, text)
		return
	}
	if status != wantStatus || e.Error.Type != kind || e.Error.Code != strconv.Itoa(wantStatus) || !strings.Contains(e.Error.Message, message) || e.Error.Message == "" {
		t.Errorf("%s: %d %s", what, status, text)
	}
}

func TestMembersSeeTheirOwn(t *testing.T) {
	f := setup(t)
	f.generate(`{"user_id":"u1"}`)
	user := f.ok("POST", "/user/new", `{"user_id":"u2","user_email":"u2@example.com","user_role":"internal_user","max_budget":3,"key_alias":"k"}`)
	key := user["key"].(string)
	_, text := f.call("GET", "/key/info", key, "")
	if object(t, text)["info"].(map[string]any)["user_id"] != "u2" {
		t.Error(text)
	}
	_, text = f.call("GET", "/key/list", key, "")
	if got := object(t, text); got["total_count"] != 1.0 || got["keys"].([]any)[0] != user["token"] {
		t.Error(text)
	}
	_, text = f.call("GET", "/user/info", key, "")
	if got := object(t, text); got["user_id"] != "u2" || got["user_info"].(map[string]any)["max_budget"] != 3.0 || len(got["keys"].([]any)) != 1 {
		t.Error(text)
	}
	_, text = f.call("GET", "/team/list", key, "")
	if text != "[]" {
		t.Error(text)
	}
	_, text = f.call("GET", "/user/list", key, "")
	if object(t, text)["total"] != 1.0 {
		t.Error(text)
	}
}

func TestListPages(t *testing.T) {
	f := setup(t)
	for range 12 {
		f.generate(`{"user_id":"u"}`)
	}
	got := f.ok("GET", "/key/list?page=2&size=5&return_full_object=true&user_id=u", "")
	if got["total_count"] != 12.0 || got["total_pages"] != 3.0 || got["current_page"] != 2.0 || len(got["keys"].([]any)) != 5 {
		t.Fatal(got)
	}
	row := got["keys"].([]any)[0].(map[string]any)
	if row["user_id"] != "u" || row["key"] != nil {
		t.Errorf("%v", row)
	}
	if got := f.ok("GET", "/key/list?page=9", ""); len(got["keys"].([]any)) != 0 {
		t.Error(got)
	}
}

func TestValidation(t *testing.T) {
	f := setup(t)
	for _, c := range []struct {
		method, path, body string
		loc                []any
		kind               string
	}{
		{"POST", "/key/generate", `{`, []any{"body", 0.0}, "json_invalid"},
		{"POST", "/key/generate", `[]`, []any{"body"}, "model_attributes_type"},
		{"POST", "/key/generate", `null`, []any{"body"}, "model_attributes_type"},
		{"POST", "/key/generate", "{\"key_alias\":\"\xff\"}", []any{"body", 0.0}, "json_invalid"},
		{"POST", "/key/generate", `{"key_alias":5}`, []any{"body", "key_alias"}, "string_type"},
		{"POST", "/key/generate", `{"models":"gpt"}`, []any{"body", "models"}, "list_type"},
		{"POST", "/key/generate", `{"models":[1]}`, []any{"body", "models"}, "list_type"},
		{"POST", "/key/generate", `{"max_budget":"much"}`, []any{"body", "max_budget"}, "float_parsing"},
		{"POST", "/key/generate", `{"rpm_limit":1.5}`, []any{"body", "rpm_limit"}, "int_parsing"},
		{"POST", "/key/generate", `{"metadata":[]}`, []any{"body", "metadata"}, "dict_type"},
		{"POST", "/key/generate", `{"duration":"soon"}`, []any{"body", "duration"}, "value_error"},
		{"POST", "/key/generate", `{"blocked":"perhaps"}`, []any{"body", "blocked"}, "bool_parsing"},
		{"POST", "/key/update", `{}`, []any{"body", "key"}, "missing"},
		{"POST", "/key/update", `{"key":null}`, []any{"body", "key"}, "string_type"},
		{"POST", "/key/block", ``, []any{"body", "key"}, "missing"},
		{"POST", "/key/delete", `{"keys":"sk-1"}`, []any{"body", "keys"}, "list_type"},
		{"POST", "/user/new", `{"user_role":"king"}`, []any{"body", "user_role"}, "enum"},
		{"POST", "/team/new", `{"team_alias":{}}`, []any{"body", "team_alias"}, "string_type"},
		{"POST", "/spend/calculate", `{"completion_response":[]}`, []any{"body", "completion_response"}, "dict_type"},
		{"GET", "/key/list?page=x", ``, []any{"query", "page"}, "int_parsing"},
		{"GET", "/key/list?page=0", ``, []any{"query", "page"}, "greater_than_equal"},
		{"GET", "/key/list?size=1000", ``, []any{"query", "size"}, "less_than_equal"},
	} {
		status, text := f.call(c.method, c.path, master, c.body)
		var got struct {
			Detail []struct {
				Loc  []any
				Type string
				Msg  string
			}
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil || status != 422 || len(got.Detail) != 1 || got.Detail[0].Type != c.kind || !cmp.Equal(got.Detail[0].Loc, c.loc) || got.Detail[0].Msg == "" {
			t.Errorf("%s %s: %d %s", c.path, c.body, status, text)
		}
	}
	_, text := f.call("POST", "/key/generate", master, `{"key_alias":1,"models":2}`)
	if n := strings.Count(text, `"loc"`); n != 2 {
		t.Errorf("%d problems told: %s", n, text)
	}
	for body, message := range map[string]string{
		`{"key":"not-sk"}`: "must start with 'sk-'", `{"team_id":"nowhere"}`: "doesn't exist in db", `{"max_budget":-1}`: "negative", `{"key_alias":"from-file"}`: "already exists",
		`{"budget_duration":"soon"}`: "budget_duration",
	} {
		status, text := f.call("POST", "/key/generate", master, body)
		checkError(t, body, status, text, 400, "bad_request_error", message)
	}
	status, text := f.call("POST", "/key/generate", master, `{"key_alias":"`+strings.Repeat("x", 2<<20)+`"}`)
	checkError(t, "large body", status, text, 413, "bad_request_error", "limit")
}

func TestIgnoredFieldsAreNamed(t *testing.T) {
	f := setup(t)
	r, err := http.NewRequestWithContext(t.Context(), "POST", f.url+"/key/generate", strings.NewReader(`{"guardrails":["pii"],"aliases":{},"model_max_budget":{"a":1},"future":null}`))
	f.must(err)
	r.Header.Set("X-Litellm-Api-Key", "Bearer "+master)
	res, err := http.DefaultClient.Do(r)
	f.must(err)
	res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if got := res.Header.Get("X-Weir-Ignored-Fields"); res.StatusCode != 200 || got != "guardrails, model_max_budget" {
		t.Errorf("%d %q", res.StatusCode, got)
	}
}

func TestBlock(t *testing.T) {
	f := setup(t)
	key := f.generate(`{}`)
	if got := f.ok("POST", "/key/block", `{"key":"`+key+`"}`); got["blocked"] != true {
		t.Error(got)
	}
	if status, _ := f.call("GET", "/key/info", key, ""); status != 401 {
		t.Error(status)
	}
	if got := f.ok("POST", "/key/unblock", `{"key":"`+string(tenant.HashKey(key))+`"}`); got["blocked"] != false {
		t.Error(got)
	}
	if status, _ := f.call("GET", "/key/info", key, ""); status != 200 {
		t.Error(status)
	}
}

func TestSpendOfKey(t *testing.T) {
	f := setup(t)
	key := f.generate(`{"max_budget":1,"budget_duration":"1d"}`)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Api-Key", key)
	who, err := f.auth.Authenticate(r)
	f.must(err)
	settle, err := f.limits.Reserve(who, money.Dollar/4, 0)
	f.must(err)
	settle(money.Dollar/4, 0)
	_, text := f.call("GET", "/key/info", key, "")
	info := object(t, text)["info"].(map[string]any)
	if info["spend"] != 0.25 || info["budget_reset_at"] == nil {
		t.Error(text)
	}
}

func TestModelInfo(t *testing.T) {
	f := setup(t)
	rows := f.ok("GET", "/v1/model/info", "")["data"].([]any)
	if len(rows) != 4 {
		t.Fatalf("%d rows", len(rows))
	}
	want := map[string]any{
		"model_name": "gpt", "litellm_params": map[string]any{"model": "openai/gpt-real", "custom_llm_provider": "openai", "api_base": "https://up.example.com/v1"},
	}
	got := rows[0].(map[string]any)
	info := got["model_info"].(map[string]any)
	delete(got, "model_info")
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for k, v := range map[string]any{
		"id": "d1", "db_model": false, "key": "gpt-real", "max_tokens": 100.0, "max_input_tokens": 1000.0, "max_output_tokens": 100.0, "input_cost_per_token": 1e-6,
		"output_cost_per_token": 2e-6, "cache_read_input_token_cost": 1e-7, "cache_creation_input_token_cost": 3e-6, "litellm_provider": "openai", "mode": "chat",
		"supports_vision": true, "supports_function_calling": true, "supports_reasoning": false, "supports_prompt_caching": false, "team": "blue",
		"cache_creation_input_token_cost_above_1hr": nil,
	} {
		if have, ok := info[k]; !ok || have != v {
			t.Errorf("%s: %v", k, have)
		}
	}
	_, text := f.call("GET", "/v1/model/info", master, "")
	if strings.Contains(text, "secret") || strings.Contains(text, "pw@") {
		t.Error("secrets are told")
	}
	names := func(key string) []string {
		_, text := f.call("GET", "/model/info", "", "", "X-Litellm-Api-Key", key)
		var out []string
		for _, r := range object(t, text)["data"].([]any) {
			out = append(out, r.(map[string]any)["model_name"].(string))
		}
		return out
	}
	for body, want := range map[string][]string{
		`{"models":["gpt"]}`: {"gpt"}, `{"models":["wild/*"]}`: {"wild/*", "wild/one"}, `{"models":["wild/one"]}`: {"wild/one"}, `{"models":["none"]}`: nil, `{}`: {"gpt", "claude", "wild/*", "wild/one"},
	} {
		if d := cmp.Diff(want, names(f.generate(body))); d != "" {
			t.Errorf("%s: %s", body, d)
		}
	}
	if got := f.ok("GET", "/model/info?litellm_model_id=d2", "")["data"].([]any); len(got) != 1 {
		t.Error(got)
	}
	status, text := f.call("GET", "/model/info?litellm_model_id=d9", master, "")
	checkError(t, "unknown id", status, text, 400, "bad_request_error", "d9")
}

func TestHealth(t *testing.T) {
	f := setup(t)
	for _, path := range []string{"/health/liveliness", "/health/liveness"} {
		if status, text := f.call("GET", path, "", ""); status != 200 || text != `"I'm alive!"` {
			t.Errorf("%d %s", status, text)
		}
	}
	if status, text := f.call("GET", "/health", "", ""); status != 200 || text != "OK" {
		t.Errorf("%d %s", status, text)
	}
	status, text := f.call("GET", "/health", "sk-wrong-key", "")
	checkError(t, "/health", status, text, 401, "token_not_found_in_db", "")
	got := f.ok("GET", "/health", "")
	if got["healthy_count"] != 2.0 || got["unhealthy_count"] != 1.0 || got["unhealthy_endpoints"].([]any)[0].(map[string]any)["error"] != "429" {
		t.Error(got)
	}
	status, text = f.call("GET", "/health/readiness", "", "")
	if ready := object(t, text); status != 200 || ready["status"] != "connected" || ready["degraded"] != false || strings.Contains(text, "/var/lib") {
		t.Errorf("%d %s", status, text)
	}
	f.ready.Ready = false
	if status, text := f.call("GET", "/health/readiness", "", ""); status != 503 || object(t, text)["status"] != "Not connected" {
		t.Errorf("%d %s", status, text)
	}
}

func TestCalculate(t *testing.T) {
	f := setup(t)
	for body, want := range map[string]float64{
		`{"completion_response":{"model":"gpt","usage":{"prompt_tokens":1000,"completion_tokens":100}}}`:                                                                                    0.0012,
		`{"completion_response":{"model":"gpt-real","usage":{"prompt_tokens":1000,"completion_tokens":0,"prompt_tokens_details":{"cached_tokens":900},"cache_creation_input_tokens":100}}}`: 0.00039,
		`{"completion_response":{"model":"booked","usage":{"input_tokens":10,"output_tokens":5}}}`:                                                                                          0.00006,
		`{"model":"openai/gpt-real","completion_response":{"usage":{"prompt_tokens":10}}}`:                                                                                                  0.00001,
		`{"model":"gpt","messages":[{"role":"user","content":"0123456789"}]}`:                                                                                                               0.00001,
	} {
		if got := f.ok("POST", "/spend/calculate", body)["cost"]; got != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
	for _, body := range []string{`{}`, `{"model":"gpt"}`, `{"messages":[]}`, `{"model":"unheard-of","messages":[]}`} {
		status, text := f.call("POST", "/spend/calculate", master, body)
		checkError(t, body, status, text, 400, "bad_request_error", "")
	}
}
