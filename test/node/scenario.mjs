// Runs scenarios and tells of each on one line of JSON: {name, ok, error}. WEIR_URL, FAKE_URL and WEIR_KEYS (scenario
// name -> virtual key) are in the environment; names to run are arguments.
import assert from "node:assert/strict";

export const URL = process.env.WEIR_URL;
export const FAKE = process.env.FAKE_URL;
export const SONNET = "claude-sonnet-4-5";
export const SONNET_ID = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
export const DIRECT = "anthropic/claude-sonnet-4-5";
export const GPT = "gpt-4o";
export const LONG = "You are a careful assistant. ".repeat(250); // at least 1024 tokens, so that it is cached

export const weather = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

export async function run(scenarios) {
  const keys = JSON.parse(process.env.WEIR_KEYS);
  for (const name of process.argv.slice(2)) {
    const out = { name, ok: true, error: "" };
    try {
      await scenarios[name](keys[name]);
    } catch (e) {
      Object.assign(out, { ok: false, error: String(e?.stack ?? e) });
    }
    console.log(JSON.stringify(out));
  }
}

// rejects is the error of exactly this class that f rejects with.
export async function rejects(kind, f) {
  try {
    await f();
  } catch (e) {
    assert.equal(e.constructor.name, kind.name, String(e?.stack ?? e));
    return e;
  }
  assert.fail(`${kind.name} was not raised`);
}

export async function journal() {
  return (await fetch(FAKE + "/_fake/journal")).json();
}

export async function until(what, f) {
  const end = Date.now() + 15_000;
  while (!(await f())) {
    assert.ok(Date.now() < end, `not in 15 s: ${what}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}
