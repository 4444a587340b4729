// The official openai package through Weir.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { DIRECT, GPT, LONG, SONNET, URL, journal, rejects, run, until, weather } from "./scenario.mjs";

const client = (key) => new OpenAI({ baseURL: URL + "/v1", apiKey: key, maxRetries: 0 });
const ask = (content) => [{ role: "user", content }];
const tools = [{ type: "function", function: { name: "weather", description: "Weather of a city", parameters: weather } }];

await run({
  async chat(key) {
    for (const model of [SONNET, DIRECT, GPT]) {
      const r = await client(key).chat.completions.create({ model, messages: ask("Say hello"), max_tokens: 300 });
      assert.match(r.choices[0].message.content, /^You said: Say hello/);
      assert.ok(r.usage.total_tokens > 0);
    }
  },

  async stream(key) {
    for (const model of [SONNET, DIRECT, GPT]) {
      let text = "", usage;
      const s = await client(key).chat.completions.create({
        model, messages: ask("Tell a story [[fake: chunks=20]]"), stream: true, stream_options: { include_usage: true },
      });
      for await (const c of s) {
        text += c.choices[0]?.delta?.content ?? "";
        usage = c.usage ?? usage;
      }
      assert.match(text, /^You said: Tell a story/);
      assert.ok(usage.completion_tokens > 0);
    }
  },

  async tool_loop(key) {
    const messages = [{ role: "system", content: LONG + "node" }, ...ask("What is the weather, node? [[fake: parallel=2]]")];
    const turn = () => client(key).chat.completions.stream({ model: SONNET, messages, tools, reasoning_effort: "high" }).finalChatCompletion();
    const first = await turn();
    const { content, tool_calls: calls } = first.choices[0].message;
    assert.equal(calls.length, 2);
    messages.push({ role: "assistant", content, tool_calls: calls.map(({ id, function: f }) => ({ id, type: "function", function: { name: f.name, arguments: f.arguments } })) });
    for (const c of calls) {
      assert.ok("city" in JSON.parse(c.function.arguments));
      messages.push({ role: "tool", tool_call_id: c.id, content: "21 degrees" });
    }
    const second = await turn();
    assert.equal(second.choices[0].finish_reason, "stop");
  },

  async errors(key) {
    const call = (k, body) => client(k).chat.completions.create({ model: GPT, messages: ask("x"), ...body });
    assert.equal((await rejects(OpenAI.AuthenticationError, () => call("sk-nobody-has-this-key", {}))).status, 401);
    const missing = await rejects(OpenAI.NotFoundError, () => call(key, { model: "no-such-model" }));
    assert.equal(missing.param, "model");
    await rejects(OpenAI.BadRequestError, () => call(key, { messages: "not a list" }));
    await rejects(OpenAI.RateLimitError, () => call(key, { messages: ask("[[fake: status=429 retry_after=60]]") }));
  },

  async cancel(key) {
    const mark = "Talk for long, openai node";
    const stop = new AbortController();
    const s = await client(key).chat.completions.create(
      { model: SONNET, messages: ask(mark + " [[fake: chunks=2000 chunk_delay=20ms]]"), stream: true }, { signal: stop.signal },
    );
    let n = 0;
    for await (const c of s) {
      assert.ok(c.id);
      if (++n === 5) stop.abort();
    }
    assert.ok(n < 100);
    await until("the upstream sees that the client has gone", async () =>
      (await journal()).some((e) => JSON.stringify(e.body).includes(mark) && e.disconnected));
  },
});
