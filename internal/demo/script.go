package demo

import (
	"time"

	"weir/internal/fakeupstream"
)

// question is a single call.
type question struct {
	model, system, text, answer string
	person                      int
	tag, endUser, agent         string
}

const (
	openaiPython = "OpenAI/Python 2.8.0"
	openaiJS     = "OpenAI/JS 6.49.0"
	cline        = "Cline/3.89.2"
)

var questions = []question{
	{"gpt-4o-mini", "You sort support requests.", "My invoice of last month shows two charges for the same seat. Which team handles this?",
		"Billing. Please attach the invoice number; duplicate seat charges are refunded within three working days.", 3, "triage", "customer-1042", openaiJS},
	{"gpt-4o", "You answer from the handbook only.", "How many days may I work from abroad?",
		"Up to 20 working days a year, after your manager has agreed. See “Working abroad”, section 2.", 3, "handbook", "customer-77", openaiJS},
	{"claude-haiku", "Extract the fields as JSON.", "Order 8841, 3 boxes of filters, deliver to dock B before Friday noon.",
		`{"order": 8841, "items": [{"name": "filters", "boxes": 3}], "dock": "B", "before": "Friday 12:00"}`, 2, "extraction", "", openaiPython},
	{"claude-sonnet", "You write SQL for DuckDB.", "Weekly active users of the last quarter, by plan.",
		"SELECT date_trunc('week', at) AS week, plan, count(DISTINCT user_id) AS active\nFROM events\nWHERE at >= date_trunc('quarter', now()) - INTERVAL 3 MONTH\nGROUP BY ALL ORDER BY week, plan;", 2, "sql", "", openaiPython},
	{"gpt-4o-mini", "あなたは丁寧なサポート担当です。", "請求書の宛名を変更したいのですが、どうすればよいですか。",
		"設定の「請求先」から宛名を変更できます。次回の請求書から反映されます。発行済みの請求書の再発行が必要な場合はお知らせください。", 3, "triage", "customer-311", openaiJS},
	{"claude-haiku", "Translate into English.", "納期は来週の金曜日までに変更できますか。それとも追加料金がかかりますか。",
		"Can the delivery date be moved to next Friday, or would there be an extra charge?", 2, "translation", "", openaiPython},
}

// failures are calls that go wrong, each in its own way.
var failures = []fakeupstream.Fault{
	{Times: 3, Model: "gpt-4o", Status: 429, RetryAfter: "1", Message: "Rate limit reached for gpt-4o"},
	{Times: 1, Model: "gpt-4o", Status: 400, Kind: "invalid_request_error", Message: "This model's maximum context length is 128000 tokens. However, your messages resulted in 181422 tokens."},
	{Times: 3, Model: "gpt-4o", Status: 503, Message: "The server is overloaded or not ready yet"},
	{Times: 1, Model: "gpt-4o", Status: 401, Message: "Incorrect API key provided"},
	{Times: 3, Model: "gpt-4o", Empty: true},
}

// run is an agent at work.
type run struct {
	task, model, agent, effort string
	person                     int
	steps                      []step
}

// step is one turn of the agent: what it thinks, says and calls, and what the tool answers.
type step struct {
	think, say, tool, args, result string
}

var rules = []string{
	"- Read a file before you change it; never guess at its content.\n",
	"- Make the smallest change that does the job, in the style of the code around it.\n",
	"- Run the tests after each change and read what they say.\n",
	"- Explain in one sentence what you are about to do, then do it.\n",
	"- Do not add dependencies without being asked.\n",
	"- When a command fails, look at its output before trying another.\n",
}

var agentSystem = pad("You are Cline, a software engineer who works in the user's repository with the tools below.\n\n# Rules\n", 6000)

func tool(name, doc string, properties map[string]any, required ...string) any {
	return map[string]any{"type": "function", "function": map[string]any{
		"name": name, "description": doc, "parameters": map[string]any{"type": "object", "properties": properties, "required": required},
	}}
}

var text = map[string]any{"type": "string"}

var agentTools = []any{
	tool("read_file", "Read a file of the repository.", map[string]any{"path": text}, "path"),
	tool("write_to_file", "Write a whole file.", map[string]any{"path": text, "content": text}, "path", "content"),
	tool("replace_in_file", "Replace one passage of a file.", map[string]any{"path": text, "old": text, "new": text}, "path", "old", "new"),
	tool("search_files", "Search with a regular expression.", map[string]any{"pattern": text, "path": text}, "pattern"),
	tool("execute_command", "Run a command in the repository.", map[string]any{"command": text}, "command"),
}

var healthRun = []step{
	{"I should see how routes are registered before adding one.", "I look at how routes are registered.", "search_files", `{"path":"internal","pattern":"HandleFunc\\("}`,
		"internal/server/routes.go:21:\tmux.HandleFunc(\"GET /items\", s.listItems)\ninternal/server/routes.go:22:\tmux.HandleFunc(\"POST /items\", s.createItem)\n"},
	{"One file holds all routes. I read it.", "All routes are in one file; I read it.", "read_file", `{"path":"internal/server/routes.go"}`,
		"package server\n\nimport \"net/http\"\n\n// routes are all endpoints of the service.\nfunc (s *Server) routes() http.Handler {\n\tmux := http.NewServeMux()\n\tmux.HandleFunc(\"GET /items\", s.listItems)\n\tmux.HandleFunc(\"POST /items\", s.createItem)\n\treturn mux\n}\n"},
	{"The database handle is s.db; a ping with a deadline says whether it answers.", "I add the endpoint next to the others.", "replace_in_file",
		`{"path":"internal/server/routes.go","old":"\tmux.HandleFunc(\"POST /items\", s.createItem)\n","new":"\tmux.HandleFunc(\"POST /items\", s.createItem)\n\tmux.HandleFunc(\"GET /health\", s.health)\n"}`, "replaced 1 passage in internal/server/routes.go"},
	{"Now the handler, in a file of its own.", "Now the handler itself.", "write_to_file",
		`{"path":"internal/server/health.go","content":"package server\n\nimport (\n\t\"context\"\n\t\"net/http\"\n\t\"time\"\n)\n\n// health answers 200 while the database does, else 503.\nfunc (s *Server) health(w http.ResponseWriter, r *http.Request) {\n\tctx, cancel := context.WithTimeout(r.Context(), time.Second)\n\tdefer cancel()\n\tif err := s.db.PingContext(ctx); err != nil {\n\t\thttp.Error(w, \"database does not answer\", http.StatusServiceUnavailable)\n\t\treturn\n\t}\n\tw.WriteHeader(http.StatusOK)\n}\n"}`,
		"wrote 18 lines to internal/server/health.go"},
	{"A test for both outcomes.", "A test for both outcomes.", "write_to_file",
		`{"path":"internal/server/health_test.go","content":"package server\n\nimport (\n\t\"net/http/httptest\"\n\t\"testing\"\n)\n\nfunc TestHealth(t *testing.T) {\n\tfor name, tc := range map[string]struct {\n\t\tdown bool\n\t\twant int\n\t}{\"up\": {false, 200}, \"down\": {true, 503}} {\n\t\ts := newTestServer(t, tc.down)\n\t\tw := httptest.NewRecorder()\n\t\ts.routes().ServeHTTP(w, httptest.NewRequest(\"GET\", \"/health\", nil))\n\t\tif w.Code != tc.want {\n\t\t\tt.Errorf(\"%s: %d\", name, w.Code)\n\t\t}\n\t}\n}\n"}`,
		"wrote 21 lines to internal/server/health_test.go"},
	{"Run the tests.", "I run the tests.", "execute_command", `{"command":"go test ./internal/server/"}`,
		"--- FAIL: TestHealth (0.00s)\n    health_test.go:18: down: 200\nFAIL\nFAIL\texample.com/shop/internal/server\t0.021s\n"},
	{"The down case answers 200: newTestServer ignores its second argument?", "The failing case does not fail its database. I look at the helper.", "read_file", `{"path":"internal/server/server_test.go"}`,
		"package server\n\nimport \"testing\"\n\nfunc newTestServer(t *testing.T, down bool) *Server {\n\tt.Helper()\n\treturn &Server{db: openTestDB(t)}\n}\n"},
	{"It ignores down. Close the database for that case.", "The helper ignores `down`; I close the database in that case.", "replace_in_file",
		`{"path":"internal/server/server_test.go","old":"\treturn &Server{db: openTestDB(t)}\n","new":"\tdb := openTestDB(t)\n\tif down {\n\t\tdb.Close()\n\t}\n\treturn &Server{db: db}\n"}`, "replaced 1 passage in internal/server/server_test.go"},
	{"Again.", "Again.", "execute_command", `{"command":"go test ./..."}`, "ok  \texample.com/shop/internal/server\t0.024s\nok  \texample.com/shop/internal/items\t0.011s\n"},
	{"Done.", "`GET /health` answers 200 while the database does and 503 otherwise. The handler is in `internal/server/health.go`, both outcomes are tested, and the test helper now honours `down`.", "", "", ""},
}

var readmeRun = []step{
	{"See what is there.", "I read the present text.", "read_file", `{"path":"README.ja.md"}`, "# ショップ\n\n商品を管理するサービスです。\n\n## 起動\n\n`go run ./cmd/shop`\n"},
	{"Add the section on configuration in the same tone.", "設定の節を同じ文体で追加します。", "replace_in_file",
		`{"path":"README.ja.md","old":"## 起動\n","new":"## 設定\n\n環境変数 \u0060SHOP_DB\u0060 にデータベースの場所を指定します。\n\n## 起動\n"}`, "replaced 1 passage in README.ja.md"},
	{"Finished.", "README.ja.md に「設定」の節を追加しました。環境変数 `SHOP_DB` の説明だけで、ほかの部分は変更していません。", "", "", ""},
}

var flakyRun = []step{
	{"Find the test.", "I look for the test.", "search_files", `{"pattern":"func TestExpiry","path":"."}`, "internal/cache/cache_test.go:44:func TestExpiry(t *testing.T) {\n"},
	{"Read it.", "", "read_file", `{"path":"internal/cache/cache_test.go"}`,
		"package cache\n\nimport (\n\t\"testing\"\n\t\"time\"\n)\n\nfunc TestExpiry(t *testing.T) {\n\tc := New(10 * time.Millisecond)\n\tc.Put(\"a\", 1)\n\ttime.Sleep(11 * time.Millisecond)\n\tif _, ok := c.Get(\"a\"); ok {\n\t\tt.Fatal(\"entry is still there\")\n\t}\n}\n"},
	{"It sleeps one millisecond longer than the lifetime: scheduling decides. A clock passed in is the cure.", "The test races the scheduler: it sleeps 1 ms longer than the entry lives. The cache should take a clock.", "replace_in_file",
		`{"path":"internal/cache/cache_test.go","old":"\tc := New(10 * time.Millisecond)\n\tc.Put(\"a\", 1)\n\ttime.Sleep(11 * time.Millisecond)\n","new":"\tnow := time.Now()\n\tc := New(10*time.Millisecond, func() time.Time { return now })\n\tc.Put(\"a\", 1)\n\tnow = now.Add(11 * time.Millisecond)\n"}`, "replaced 1 passage in internal/cache/cache_test.go"},
	{"Make the constructor take it.", "", "execute_command", `{"command":"go test -count=200 -run TestExpiry ./internal/cache/"}`, "ok  \texample.com/shop/internal/cache\t0.310s\n"},
	{"Good.", "`TestExpiry` no longer sleeps: the cache takes a clock, and 200 runs in a row pass.", "", "", ""},
}

var runs = []run{
	{"Add a GET /health endpoint that checks the database, with a test for both outcomes.", "claude-sonnet", cline, "medium", 0, healthRun},
	{"README.ja.md に設定の説明を追加してください。", "claude-sonnet", cline, "", 1, readmeRun},
	{"TestExpiry fails about once in fifty runs. Find out why and fix it.", "claude-opus", cline, "high", 0, flakyRun},
	{"The health endpoint of the admin service needs the same database check as the shop's.", "claude-haiku", cline, "", 1, healthRun},
}

// live is how often a call is made while the demo runs.
const live = 4 * time.Second
