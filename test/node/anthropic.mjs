// The official @anthropic-ai/sdk package through Weir.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { DIRECT, GPT, LONG, SONNET, URL, rejects, run, weather } from "./scenario.mjs";

const client = (key) => new Anthropic({ baseURL: URL, apiKey: key, maxRetries: 0 });
const ask = (content) => [{ role: "user", content }];
const textOf = (m) => m.content.filter((b) => b.type === "text").map((b) => b.text).join("");

await run({
  async messages(key) {
    for (const model of [SONNET, DIRECT, GPT]) {
      const m = await client(key).messages.create({ model, max_tokens: 300, messages: ask("Say hello") });
      assert.match(textOf(m), /^You said: Say hello/);
      assert.equal(m.model, model);
    }
  },

  async stream(key) {
    for (const model of [SONNET, DIRECT, GPT]) {
      let text = "";
      const s = client(key).messages.stream({ model, max_tokens: 2000, messages: ask("Tell a story [[fake: chunks=20]]") }).on("text", (t) => (text += t));
      const m = await s.finalMessage();
      assert.match(text, /^You said: Tell a story/);
      assert.equal(text, textOf(m));
      assert.equal(m.model, model);
    }
  },

  async thinking_round_trip(key) {
    for (const model of [SONNET, DIRECT]) {
      const messages = ask(`What is the weather, ${model}, node? [[fake: parallel=1]]`);
      const turn = () => client(key).messages.stream({
        model, max_tokens: 8000, messages, tools: [{ name: "weather", description: "Weather of a city", input_schema: weather }],
        system: [{ type: "text", text: LONG + "node " + model, cache_control: { type: "ephemeral" } }], thinking: { type: "enabled", budget_tokens: 2000 },
      }).finalMessage();
      const first = await turn();
      assert.equal(first.content[0].type, "thinking");
      const use = first.content.find((b) => b.type === "tool_use");
      messages.push({ role: "assistant", content: first.content }, { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: "21 degrees" }] });
      const second = await turn();
      assert.equal(second.stop_reason, "end_turn");
      assert.ok(second.usage.cache_read_input_tokens > 0);
    }
  },

  async count_tokens(key) {
    for (const model of [SONNET, DIRECT]) {
      assert.ok((await client(key).messages.countTokens({ model, messages: ask("How long is this?") })).input_tokens > 0);
    }
  },

  async errors(key) {
    const call = (k, body) => client(k).messages.create({ model: SONNET, max_tokens: 9, messages: ask("x"), ...body });
    assert.equal((await rejects(Anthropic.AuthenticationError, () => call("sk-nobody-has-this-key", {}))).error.error.type, "authentication_error");
    await rejects(Anthropic.NotFoundError, () => call(key, { model: "no-such-model" }));
    await rejects(Anthropic.BadRequestError, () => call(key, { messages: "not a list" }));
    await rejects(Anthropic.RateLimitError, () => call(key, { messages: ask("[[fake: status=429 retry_after=60]]") }));
  },
});
