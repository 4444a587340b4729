/** An agent's run of twelve steps in Anthropic's dialect: tools, thinking, file edits, an error, Japanese. */

const system = `You are Cline, a highly skilled software engineer with extensive knowledge in many programming languages, frameworks, design patterns, and best practices.

## Rules
- Your current working directory is: /home/dev/inventory
- Use **one tool per message** and wait for its result.
- When a task is finished, call \`attempt_completion\`.

## Environment
${Array.from({ length: 24 }, (_, i) => `- rule ${i + 1}: keep changes small, explain what you did, never guess a path`).join('\n')}`;

const handler = `package stock

import (
	"encoding/json"
	"net/http"
)

// Handler answers GET /items with the whole stock.
func Handler(s Store) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		items, err := s.All(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		json.NewEncoder(w).Encode(items)
	}
}
`;

const csv = `package stock

import (
	"encoding/csv"
	"io"
	"strconv"
)

// WriteCSV writes items with a header line. Amounts are whole numbers.
func WriteCSV(w io.Writer, items []Item) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"sku", "name", "amount"}); err != nil {
		return err
	}
	for _, it := range items {
		if err := c.Write([]string{it.SKU, it.Name, strconv.Itoa(it.Amount)}); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
`;

const listing = ['README.md', 'go.mod', 'main.go', ...Array.from({ length: 34 }, (_, i) => `stock/fixtures/item_${String(i + 1).padStart(3, '0')}.json`), 'stock/handler.go', 'stock/handler_test.go', 'stock/item.go', 'stock/store.go'].join('\n');

interface Turn {
  thinking?: string;
  text?: string;
  call?: { name: string; input: unknown };
  result?: { content: unknown; error?: boolean };
  fail?: string;
}

const turns: Turn[] = [
  { thinking: 'The user wants CSV export for the inventory endpoint. I should look at the project layout before touching anything.', text: "I'll start by looking at the project.", call: { name: 'list_files', input: { path: '.', recursive: true } }, result: { content: listing } },
  { text: 'The handler lives in `stock/handler.go`. Let me read it.', call: { name: 'read_file', input: { path: 'stock/handler.go' } }, result: { content: handler } },
  { call: { name: 'read_file', input: { path: 'stock/item.go' } }, result: { content: 'package stock\n\n// Item is one thing in stock.\ntype Item struct {\n\tSKU    string `json:"sku"`\n\tName   string `json:"name"`\n\tAmount int    `json:"amount"`\n}\n' } },
  { thinking: 'A separate file for the CSV writer keeps the handler small. Then negotiate by the Accept header, with ?format=csv as a fallback for browsers.\n\nNames may hold Japanese text, so the output must be UTF-8; Excel on Windows wants a BOM, but that would surprise other tools. I will leave it out.', text: 'I will add the writer in a file of its own.', call: { name: 'write_to_file', input: { path: 'stock/csv.go', content: csv } }, result: { content: 'The content was successfully saved to stock/csv.go.' } },
  { text: 'Now the handler negotiates the format:', call: { name: 'str_replace_editor', input: { command: 'str_replace', path: 'stock/handler.go', old_str: '\t\tjson.NewEncoder(w).Encode(items)\n\t}', new_str: '\t\tif wantsCSV(r) {\n\t\t\tw.Header().Set("Content-Type", "text/csv; charset=utf-8")\n\t\t\t_ = WriteCSV(w, items)\n\t\t\treturn\n\t\t}\n\t\tw.Header().Set("Content-Type", "application/json")\n\t\tjson.NewEncoder(w).Encode(items)\n\t}' } }, result: { content: 'The file stock/handler.go has been edited.' } },
  { call: { name: 'execute_command', input: { command: 'go test ./...', requires_approval: false } }, result: { content: '# inventory/stock\nstock/handler.go:17:6: undefined: wantsCSV\nFAIL\tinventory/stock [build failed]\nFAIL', error: true } },
  { fail: 'ThrottlingException: Too many tokens, please wait before trying again.' },
  { thinking: 'I forgot to define wantsCSV. Add it below the handler.', text: '`wantsCSV` is missing; I add it.', call: { name: 'replace_in_file', input: { path: 'stock/handler.go', diff: '------- SEARCH\n// Handler answers GET /items with the whole stock.\nfunc Handler(s Store) http.HandlerFunc {\n=======\n// wantsCSV reports whether the client asked for CSV, by ?format=csv or the Accept header.\nfunc wantsCSV(r *http.Request) bool {\n\treturn r.URL.Query().Get("format") == "csv" || strings.Contains(r.Header.Get("Accept"), "text/csv")\n}\n\n// Handler answers GET /items with the whole stock, as JSON or CSV.\nfunc Handler(s Store) http.HandlerFunc {\n+++++++ REPLACE' } }, result: { content: 'The file was saved.' } },
  { call: { name: 'replace_in_file', input: { path: 'stock/handler.go', diff: '------- SEARCH\n\t"net/http"\n)\n=======\n\t"net/http"\n\t"strings"\n)\n+++++++ REPLACE' } }, result: { content: 'The file was saved.' } },
  { call: { name: 'execute_command', input: { command: 'go test ./...', requires_approval: false } }, result: { content: 'ok  \tinventory/stock\t0.012s' } },
  { text: '品名に日本語が含まれる場合も確認します。', call: { name: 'execute_command', input: { command: 'go run . & sleep 1; curl -s "localhost:8080/items?format=csv"' } }, result: { content: 'sku,name,amount\nA-100,六角ボルト M8,240\nA-101,ワッシャー 8mm（ステンレス）,1200\nB-200,"Hinge, left",36' } },
  { text: 'Done. `GET /items?format=csv` now answers CSV:\n\n1. `stock/csv.go` — the writer, with a header line\n2. `stock/handler.go` — negotiation by `?format=csv` or `Accept: text/csv`\n\n| request | answer |\n|---|---|\n| `Accept: text/csv` | CSV, UTF-8 |\n| anything else | JSON, as before |\n\nAll tests pass. **日本語の品名**も正しく出力されることを確認しました。', call: { name: 'attempt_completion', input: { result: 'CSV export works and is tested.' } } },
];

export interface Step {
  request: Record<string, unknown>;
  fresh: unknown[];
  answer: unknown;
  error?: string;
  size: number;
}

export function run(task: string): Step[] {
  const history: unknown[] = [];
  let fresh: unknown[] = [{ role: 'user', content: [{ type: 'text', text: `<task>\n${task}\n</task>` }, { type: 'text', text: '<environment_details>\n# VSCode Visible Files\nstock/handler.go\n\n# Current Mode\nACT MODE\n</environment_details>' }] }];
  const steps: Step[] = [];
  turns.forEach((t, i) => {
    history.push(...fresh);
    const content: unknown[] = [];
    if (t.thinking) content.push({ type: 'thinking', thinking: t.thinking, signature: 'EqoBCkYIBBgCKkBz' });
    if (t.text) content.push({ type: 'text', text: t.text });
    const id = `toolu_01${String(i).padStart(4, '0')}Yx9`;
    if (t.call) content.push({ type: 'tool_use', id, name: t.call.name, input: t.call.input });
    const answer = t.fail ? null : { id: `msg_01${i}`, type: 'message', role: 'assistant', model: 'claude-sonnet-4-5', content, stop_reason: t.call ? 'tool_use' : 'end_turn', usage: {} };
    const request = { model: 'claude-sonnet', max_tokens: 8192, stream: true, temperature: 0, system: [{ type: 'text', text: system, cache_control: { type: 'ephemeral' } }], messages: [...history], tools: toolDefs };
    steps.push({ request, fresh, answer, error: t.fail, size: JSON.stringify(request).length });
    fresh = [];
    if (answer) {
      history.push({ role: 'assistant', content });
      if (t.result) fresh = [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: t.result.content, ...(t.result.error ? { is_error: true } : {}) }] }];
    }
  });
  return steps;
}

const toolDefs = ['list_files', 'read_file', 'write_to_file', 'replace_in_file', 'execute_command', 'attempt_completion'].map((name) => ({
  name,
  description: `Use ${name.replaceAll('_', ' ')} in the working directory.`,
  input_schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
}));

export const systemPrompt = [{ type: 'text', text: system }];
