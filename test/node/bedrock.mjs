// The AWS SDK's bedrock-runtime client through Weir: over plain http it speaks HTTP/2 with prior knowledge.
import assert from "node:assert/strict";
import { BedrockRuntimeClient, InvokeModelCommand, InvokeModelWithResponseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { DIRECT, LONG, SONNET, SONNET_ID, URL, run, weather } from "./scenario.mjs";

const client = (key) => {
  const c = new BedrockRuntimeClient({
    region: "us-east-1", endpoint: URL + "/bedrock", token: async () => ({ token: key }), authSchemePreference: ["httpBearerAuth"], maxAttempts: 1,
  });
  assert.equal(c.config.requestHandler.metadata.handlerProtocol, "h2");
  return c;
};
const request = (modelId, body) => ({
  modelId, contentType: "application/json", body: JSON.stringify({ anthropic_version: "bedrock-2023-05-31", max_tokens: 4000, ...body }),
});
const ask = (content) => ({ messages: [{ role: "user", content }] });
const decode = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

await run({
  async invoke(key) {
    for (const model of [SONNET, SONNET_ID, DIRECT]) {
      const c = client(key);
      const m = decode((await c.send(new InvokeModelCommand(request(model, ask("Say hello"))))).body);
      assert.match(m.content[0].text, /^You said: Say hello/);
      c.destroy();
    }
  },

  async invoke_stream(key) {
    for (const model of [SONNET, SONNET_ID, DIRECT]) {
      const c = client(key);
      let text = "", last;
      for await (const e of (await c.send(new InvokeModelWithResponseStreamCommand(request(model, ask("Tell a story [[fake: chunks=20]]"))))).body) {
        last = decode(e.chunk.bytes);
        text += last.delta?.text ?? "";
      }
      assert.match(text, /^You said: Tell a story/);
      assert.equal(last.type, "message_stop");
      assert.ok(last["amazon-bedrock-invocationMetrics"].outputTokenCount > 0);
      c.destroy();
    }
  },

  async thinking_round_trip(key) {
    const c = client(key);
    const body = {
      ...ask("What is the weather, aws node? [[fake: parallel=1]]"), tools: [{ name: "weather", description: "Weather of a city", input_schema: weather }],
      system: [{ type: "text", text: LONG + "aws node", cache_control: { type: "ephemeral" } }], thinking: { type: "enabled", budget_tokens: 2000 },
    };
    const turn = async () => decode((await c.send(new InvokeModelCommand(request(SONNET, body)))).body);
    const first = await turn();
    const use = first.content.find((b) => b.type === "tool_use");
    body.messages.push({ role: "assistant", content: first.content }, { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: "21 degrees" }] });
    const second = await turn();
    assert.equal(second.stop_reason, "end_turn");
    assert.ok(second.usage.cache_read_input_tokens > 0);
    c.destroy();
  },

  async errors(key) {
    const fails = async (k, model, body) => {
      const c = client(k);
      const e = await c.send(new InvokeModelCommand(request(model, body))).then(() => assert.fail("no error"), (e) => e);
      c.destroy();
      return e;
    };
    assert.ok([401, 403].includes((await fails("sk-nobody-has-this-key", SONNET, ask("x"))).$metadata.httpStatusCode));
    assert.equal((await fails(key, "no-such-model", ask("x"))).$metadata.httpStatusCode, 404);
    assert.equal((await fails(key, SONNET, { ...ask("x"), temperature: 7 })).name, "ValidationException");
    assert.equal((await fails(key, SONNET, ask("[[fake: status=429 retry_after=60]]"))).name, "ThrottlingException");
  },
});
