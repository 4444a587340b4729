import type { KeyInfo, Model, SessionCall, SessionDetail, SessionRow, Span, TraceRow } from '../src/shared/api/types';
import { add, price, type Prices } from '../src/shared/format/usage';
import { run, systemPrompt, type Step } from './conversation';
import { random } from './random';

const rnd = random(7);
export const now = Date.now();

const sonnet: Prices = { input_per_mtok: 3, output_per_mtok: 15, cache_read_per_mtok: 0.3, cache_write_per_mtok: 3.75, cache_write_1h_per_mtok: 6 };
const haiku: Prices = { input_per_mtok: 1, output_per_mtok: 5, cache_read_per_mtok: 0.1, cache_write_per_mtok: 1.25, cache_write_1h_per_mtok: 2 };
const gpt: Prices = { input_per_mtok: 1.25, output_per_mtok: 10, cache_read_per_mtok: 0.125 };
const mini: Prices = { input_per_mtok: 0.25, output_per_mtok: 2, cache_read_per_mtok: 0.025 };

interface Known { name: string; upstream: string; provider: string; prices: Prices; ms: number }
const known: Known[] = [
  { name: 'claude-sonnet', upstream: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', provider: 'bedrock', prices: sonnet, ms: 5200 },
  { name: 'claude-haiku', upstream: 'us.anthropic.claude-haiku-4-5-20251001-v1:0', provider: 'bedrock', prices: haiku, ms: 1700 },
  { name: 'gpt-5', upstream: 'gpt-5', provider: 'openai', prices: gpt, ms: 7400 },
  { name: 'gpt-5-mini', upstream: 'gpt-5-mini', provider: 'openai', prices: mini, ms: 2300 },
  { name: 'anthropic/claude-opus-4-1', upstream: 'claude-opus-4-1', provider: 'anthropic', prices: { input_per_mtok: 15, output_per_mtok: 75, cache_read_per_mtok: 1.5, cache_write_per_mtok: 18.75 }, ms: 9100 },
];
const people = ['mika', 'jun', 'sora', 'ada', 'noor', 'ken'].map((n) => ({ user: n, email: `${n}@example.com`, key_alias: `${n}-agent`, team_alias: n < 'l' ? 'platform' : 'checkout' }));
const clients = ['Cline', 'Claude Code', 'openai-python', 'curl'];
const asks = ['Add CSV export to the inventory endpoint', 'Why does TestStore fail on arm64?', '在庫一覧の CSV 出力を追加してください', 'Summarise this incident for the status page', 'この関数のテストを書いてください。境界値も含めて。', 'Classify the ticket: billing, bug or question', 'Rename Item.Amount to Item.Quantity everywhere', 'Explain the query plan below'];
const errors = [
  { http: 429, error_type: 'ThrottlingException', error_text: 'Too many tokens, please wait before trying again.' },
  { http: 400, error_type: 'context_length_exceeded', error_text: 'prompt is too long: 204698 tokens > 200000 maximum' },
  { http: 502, error_type: 'upstream_cut', error_text: 'the stream ended without an end' },
  { http: 504, error_type: 'upstream_timeout', error_text: 'no first event within 60 s' },
];

function row(at: number): TraceRow {
  const m = rnd.pick([known[0]!, known[0]!, known[0]!, known[1]!, known[1]!, known[2]!, known[3]!, known[3]!, known[4]!]);
  const p = rnd.pick(people);
  const failed = rnd.next() < (m.name === 'gpt-5' ? 0.09 : 0.025);
  const context = rnd.int(900, 62_000);
  const read = rnd.next() < 0.7 ? Math.floor(context * (0.6 + rnd.next() * 0.37)) : 0;
  const write = m.prices.cache_write_per_mtok && rnd.next() < 0.6 ? Math.floor((context - read) * 0.8) : 0;
  const usage = failed ? { input: 0, output: 0 } : { input: context - read - write, cache_read: read, cache_write: write, output: rnd.int(40, 2400) };
  const ms = m.ms * (0.3 + rnd.next() * 1.4);
  const stream = rnd.next() < 0.8;
  return {
    trace: rnd.hex(32), id: rnd.hex(16), name: stream ? 'chat' : 'chat', kind: 'generation', start: new Date(at).toISOString(), duration_ms: failed ? ms / 9 : ms,
    first_token_ms: stream && !failed ? ms * 0.18 : undefined, status: failed ? 'error' : 'ok', ...(failed ? rnd.pick(errors) : { http: 200 }),
    model: m.name, upstream_model: m.upstream, provider: m.provider, deployment: `${m.name}-${rnd.pick(['east', 'west'])}`, usage, cost_usd: price(usage, m.prices), cost_source: 'measured',
    ...p, team: p.team_alias, key: 'k_' + p.user, session: rnd.next() < 0.6 ? 's' + rnd.hex(11) : undefined, tags: rnd.next() < 0.4 ? ['ci', 'env:prod'] : [], client: rnd.pick(clients), stream,
    cache_hit: rnd.next() < 0.03, input_preview: rnd.pick(asks), output_preview: failed ? '' : rnd.pick(['I will start by reading the handler…', 'テストを追加しました。すべて成功しています。', 'The index is not used since the cast hides it.', 'billing']),
  };
}

export const rows: TraceRow[] = [];
for (let at = now - 30_000, i = 0; i < 4200; i++) {
  rows.push(row(at));
  const hour = new Date(at).getHours();
  const busy = hour > 8 && hour < 19 ? 1 : 3;
  at -= rnd.int(4000, 70_000) * busy;
}
export const liveRow = () => row(Date.now());

/* The run of the agent, and a short one. */
const steps = run('Add CSV export to GET /items (?format=csv). 品名には日本語が入ります。 Keep the JSON answer as it is.');
export const sessionID = 'c0ffee12-77aa-4c1e-9d55-1a2b3c4d5e6f';
export const spans = new Map<string, { span: Span; step: Step }>();

function spanOf(step: Step, i: number, at: number, before: number): Span {
  const context = Math.round(step.size / 3.4) + 9000;
  const fresh = step.error ? 0 : 24;
  const write = step.error ? 0 : Math.max(0, context - before - fresh);
  const usage = step.error ? { input: 0, output: 0 } : { input: fresh, cache_read: i === 0 ? 0 : before, cache_write: i === 0 ? context : write, output: 90 + ((i * 197) % 620), reasoning: i % 3 === 0 ? 60 : 0 };
  const cost = price(usage, sonnet);
  const took = step.error ? 640 : 2600 + ((i * 1733) % 5200);
  const part = (k: keyof Prices, n: number) => (n * (sonnet[k] ?? 0)) / 1e6;
  return {
    trace: `7a11${String(i).padStart(28, '0')}`, id: `5c00${String(i).padStart(12, '0')}`, name: 'chat claude-sonnet', kind: 'generation', start: new Date(at).toISOString(), end: new Date(at + took).toISOString(), duration_ms: took,
    first_token_ms: step.error ? undefined : 720 + ((i * 97) % 400), queue_ms: 0.4, status: step.error ? 'error' : 'ok', http: step.error ? 429 : 200, error_type: step.error ? 'ThrottlingException' : undefined, error_text: step.error,
    error_body: step.error ? '{"message":"Too many tokens, please wait before trying again."}' : undefined, model: 'claude-sonnet', upstream_model: known[0]!.upstream, provider: 'bedrock', deployment: 'claude-sonnet-east', usage, cost_usd: cost, cost_source: 'measured',
    cost: { total_usd: cost, input_usd: part('input_per_mtok', usage.input), cache_read_usd: part('cache_read_per_mtok', usage.cache_read ?? 0), cache_write_usd: part('cache_write_per_mtok', usage.cache_write ?? 0), output_usd: part('output_per_mtok', usage.output), source: 'measured', book: '2026-11-01' },
    ...people[0]!, key: 'k_mika', team: 'platform', session: sessionID, tags: ['cline', 'env:dev'], client: 'Cline', client_version: '3.36.1', stream: true, input_preview: 'Add CSV export to GET /items (?format=csv). 品名には日本語が入ります。', output_preview: "I'll start by looking at the project.",
    params: { max_tokens: 8192, temperature: 0, stream: true }, metadata: { task_id: '1764', workspace: { name: 'inventory', branch: 'csv-export' } }, attributes: { 'gen_ai.system': 'aws.bedrock', 'gen_ai.request.model': 'claude-sonnet' },
    tries: step.error ? [{ deployment: 'claude-sonnet-east', model: known[0]!.upstream, start_ms: 0, took_ms: 210, http: 429, error: 'ThrottlingException' }, { deployment: 'claude-sonnet-west', model: known[0]!.upstream, start_ms: 330, took_ms: 300, http: 429, error: 'ThrottlingException' }] : [{ deployment: 'claude-sonnet-east', model: known[0]!.upstream, start_ms: 1, took_ms: took - 2, http: 200 }],
    finish: step.error ? undefined : 'tool_use', request_id: rnd.hex(12), user_agent: 'Cline/3.36.1', ip: '127.0.0.1', dialect: 'anthropic_messages', operation: 'chat', input: { form: 'conversation', size: step.size, messages: i * 2 + 1, new: 1 }, output: { form: 'json', size: 900 },
  };
}

let before = 0;
let at = now - 11 * 60_000;
const run1 = steps.map((step, i) => {
  const span = spanOf(step, i, at, before);
  if (!step.error) before = (span.usage!.cache_read ?? 0) + (span.usage!.cache_write ?? 0);
  at += span.duration_ms + 9_000 + ((i * 7919) % 21_000);
  spans.set(span.trace, { span, step });
  return { span, step };
});
rows.push(...run1.map(({ span }) => span));
rows.sort((a, b) => (a.start < b.start ? 1 : -1));

let running = 0;
const calls: SessionCall[] = run1.map(({ span, step }, i) => ({
  trace: span.trace, span: span.id, start: span.start, duration_ms: span.duration_ms, model: span.model, status: span.status, error_text: span.error_text, usage: span.usage, cost_usd: span.cost_usd, running_cost_usd: (running += span.cost_usd ?? 0),
  finish: span.finish, new_messages: step.fresh, answer: step.answer, dialect: 'anthropic_messages', system: i === 0 ? systemPrompt : undefined, tools_count: 6,
}));
const usage = calls.reduce((u, c) => add(u, c.usage ?? {}), add({}, {}));
const head: SessionRow = {
  session: sessionID, name: 'Add CSV export to GET /items (?format=csv). 品名には日本語が入ります。', client: 'Cline', user: 'mika', email: 'mika@example.com', key_alias: 'mika-agent', start: calls[0]!.start, end: calls.at(-1)!.start,
  calls: calls.length, errors: 1, cost_usd: running, usage, models: ['claude-sonnet'], cache_read_share: 0.83,
};
export const session: SessionDetail = { ...head, steps: calls };

export const sessions: SessionRow[] = [head, ...Array.from({ length: 64 }, (_, i): SessionRow => {
  const p = rnd.pick(people);
  const n = rnd.int(1, 60);
  const u = { input: n * 900, cache_read: n * rnd.int(4000, 38_000), cache_write: n * 2100, output: n * 420 };
  const end = now - i * 37 * 60_000;
  return { session: 's' + rnd.hex(11), name: rnd.pick(asks), client: rnd.pick(clients.slice(0, 3)), ...p, start: new Date(end - n * 31_000).toISOString(), end: new Date(end).toISOString(), calls: n, errors: rnd.next() < 0.2 ? rnd.int(1, 3) : 0, cost_usd: price(u, sonnet), usage: u, models: [rnd.pick(known).name], cache_read_share: u.cache_read / (u.input + u.cache_read + u.cache_write) };
})];

export const models: Model[] = known.map((k, i) => ({
  name: k.name, pattern: false, max_input: i > 1 && i < 4 ? 400_000 : 200_000, max_output: i > 1 && i < 4 ? 128_000 : 64_000, abilities: { tools: true, vision: true, pdf: i < 2, audio: false, reasoning: i !== 3, caching: true, schema: i > 1 }, prices: { ...k.prices, book: '2026-11-01' }, origin: i < 2 ? 'file' : 'environment',
  deployments: (i === 0 ? ['us-east-1', 'us-west-2'] : ['us-east-1']).map((region, j) => ({ id: `${k.name}-${j ? 'west' : 'east'}`, provider: k.provider, model: k.upstream, region: k.provider === 'bedrock' ? region : undefined, base_url: k.provider === 'bedrock' ? undefined : `https://api.${k.provider}.example.com/v1`, health: i === 2 ? 'failing' : i === 0 && j === 1 ? 'cooldown' : i === 4 ? 'unknown' : 'ok', last_error: i === 2 ? '504 upstream_timeout: no first event within 60 s' : i === 0 && j === 1 ? '429 ThrottlingException' : undefined, calls_1h: i === 4 ? 0 : 40 + i * 21, errors_1h: i === 2 ? 9 : j, p50_ms: k.ms })),
})).concat([{ name: 'openai/*', pattern: true, deployments: [{ id: 'openai', provider: 'openai', model: '*', base_url: 'https://api.openai.example.com/v1', health: 'ok', calls_1h: 0, errors_1h: 0 }], origin: 'environment' } as never]);

export const keys: KeyInfo[] = [
  ...people.map((p, i): KeyInfo => ({ id: 'k_' + p.user, name: `sk-…${rnd.hex(4)}`, alias: p.key_alias, user: p.user, email: p.email, team: p.team_alias, team_alias: p.team_alias, models: i % 2 ? [] : ['claude-sonnet', 'claude-haiku'], expires: i === 2 ? new Date(now + 6 * 86_400_000).toISOString() : null, blocked: i === 4, max_budget_usd: i === 5 ? null : 50, budget_period: i === 5 ? '' : '30d', budget_reset_at: new Date(now + 12 * 86_400_000).toISOString(), spend_usd: [12.41, 47.9, 3.2, 50.6, 0, 112.03][i], created: new Date(now - (40 - i) * 86_400_000).toISOString(), last_used: i === 4 ? null : new Date(now - i * 3_700_000).toISOString(), origin: 'api', tags: [] })),
  { id: 'k_ci', name: 'sk-…c1c1', alias: 'ci (config.yaml)', models: ['claude-haiku'], max_budget_usd: 10, budget_period: '1d', spend_usd: 1.93, created: new Date(now - 90 * 86_400_000).toISOString(), last_used: new Date(now - 60_000).toISOString(), origin: 'file' },
];
