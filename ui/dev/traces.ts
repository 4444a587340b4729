import type { Span, Trace } from '../src/shared/api/types';
import type { Canonical } from '../src/shared/chat/canonical';
import { now } from './fixtures';
import { random } from './random';

/** Traces of applications: one to read, one of 50k spans, and what the pages ask about them. */
export const appTrace = 'a9'.padEnd(32, '0');
export const otherTrace = 'b9'.padEnd(32, '0');
export const bigTrace = 'c9'.padEnd(32, '0');

interface Light {
  id: string;
  parent: string;
  kind: string;
  name: string;
  at: number;
  took: number;
  first?: number;
  model?: string;
  cost?: number;
  tokens?: number;
  error?: string;
}

let serial = 0;
const spanID = (seed: string) => `${seed}${(serial++).toString(16).padStart(15, '0')}`;

/** An agent that plans, searches, calls tools in turns and answers. */
function agentRun(seed: string, turns: number, slow: number): Light[] {
  serial = 0;
  const rnd = random(seed.charCodeAt(0));
  const out: Light[] = [];
  const add = (parent: Light | undefined, kind: string, name: string, at: number, took: number, more: Partial<Light> = {}): Light => {
    const s = { id: spanID(seed), parent: parent?.id ?? '', kind, name, at, took, ...more };
    out.push(s);
    return s;
  };
  const call = (parent: Light, at: number, took: number, n: number) => add(parent, 'generation', 'ChatModel', at, took, { first: took * 0.22, model: 'claude-sonnet', cost: 0.004 + n * 0.0016, tokens: 3200 + n * 900 });
  const root = add(undefined, 'agent', 'support-agent', 0, 0);
  const guard = add(root, 'guardrail', 'input policy', 4, 60);
  add(guard, 'generation', 'moderate', 10, 48, { model: 'gpt-5-mini', cost: 0.00002, tokens: 180 });
  const retrieve = add(root, 'retriever', 'search handbook', 70, 540 * slow);
  add(retrieve, 'embedding', 'embed question', 80, 120, { model: 'text-embedding-3-small', cost: 0.0000004, tokens: 22 });
  add(retrieve, 'reranker', 'rerank', 220, 300 * slow);
  const plan = add(root, 'chain', 'plan', 640, 2300);
  call(plan, 660, 2200 * slow, 0);
  let at = 3000 * slow;
  for (let i = 0; i < turns; i++) {
    const think = 700 + rnd.int(0, 1400);
    call(root, at, think * slow, i + 1);
    at += think * slow + 15;
    const failed = i === turns - 2;
    add(root, 'tool', 'query_database', at, 180 + rnd.int(0, 500), failed ? { error: 'connection refused' } : {});
    at += 720;
  }
  add(root, 'tool', 'send_email', at, 320);
  call(root, at + 340, 2600 * slow, turns + 2);
  add(root, 'evaluator', 'answer quality', at + 340 + 2600 * slow, 140);
  root.took = at + 520 + 2600 * slow;
  return out;
}

/** 50k spans: a batch of jobs, each with steps that loop, and failures here and there. */
function batch(n: number): Light[] {
  serial = 0;
  const rnd = random(5);
  const out: Light[] = [{ id: spanID('c'), parent: '', kind: 'chain', name: 'nightly batch', at: 0, took: 0 }];
  let at = 0;
  for (let job = 0; out.length < n; job++) {
    const head: Light = { id: spanID('c'), parent: out[0]!.id, kind: 'agent', name: `job ${job}`, at, took: 0 };
    out.push(head);
    let t = at + 3;
    for (let k = 0, turns = rnd.int(6, 40); k < turns && out.length < n; k++) {
      const think = 40 + rnd.int(0, 300);
      out.push({ id: spanID('c'), parent: head.id, kind: 'generation', name: 'ChatModel', at: t, took: think, first: think * 0.2, model: k % 5 ? 'gpt-5-mini' : 'gpt-5', cost: 0.0003, tokens: 700 + rnd.int(0, 400) });
      t += think + 2;
      const tool = rnd.pick(['read_file', 'search', 'query_database', 'http_get']);
      out.push({ id: spanID('c'), parent: head.id, kind: 'tool', name: k % 7 === 3 ? tool : 'read_file', at: t, took: 12 + rnd.int(0, 90), error: rnd.next() < 0.0006 ? 'timeout' : undefined });
      t += 60;
    }
    head.took = t - at;
    at += rnd.int(50, head.took);
  }
  out[0]!.took = Math.max(...out.map((s) => s.at + s.took));
  return out;
}

const kept = new Map<string, Light[]>();
const make: Record<string, () => Light[]> = { [appTrace]: () => agentRun('a', 12, 1), [otherTrace]: () => agentRun('b', 9, 1.3), [bigTrace]: () => batch(50_000) };

export function lights(trace: string): Light[] | undefined {
  if (!make[trace]) return undefined;
  if (!kept.has(trace)) kept.set(trace, make[trace]());
  return kept.get(trace);
}

const t0 = now - 3_600_000;

export function spanOf(trace: string, s: Light): Span {
  const usage = s.tokens ? { input: Math.round(s.tokens * 0.25), cache_read: Math.round(s.tokens * 0.6), output: Math.round(s.tokens * 0.15) } : {};
  return {
    trace, id: s.id, parent: s.parent, name: s.name, kind: s.kind, start: new Date(t0 + s.at).toISOString(), end: new Date(t0 + s.at + s.took).toISOString(), duration_ms: s.took, first_token_ms: s.first, status: s.error ? 'error' : 'ok', error_type: s.error ? 'ConnectionError' : '', error_text: s.error, model: s.model, usage, cost_usd: s.cost ?? 0,
    cost: { total_usd: s.cost ?? 0, source: 'measured', book: '2026-11-01' }, source: 'otlp', service: 'support-api', environment: 'production', release: '2026.11.3', scope: 'openinference.instrumentation.langchain', mapping: 'openinference/1', session: 'chat-4711', user: 'mika', trace_name: 'support-agent', tags: ['beta'],
    attributes: { 'openinference.span.kind': s.kind.toUpperCase(), 'llm.model_name': s.model, 'llm.token_count.total': s.tokens, metadata: { customer: 'example.com', plan: 'team' } }, resource: { 'service.name': 'support-api', 'host.name': 'web-3', 'telemetry.sdk.language': 'python' },
    events: s.error ? [{ name: 'exception', time: new Date(t0 + s.at + s.took).toISOString(), attributes: { 'exception.type': 'ConnectionError', 'exception.message': s.error, 'exception.stacktrace': 'Traceback (most recent call last):\n  File "tools.py", line 41, in query\n    conn = connect(dsn)\nConnectionError: connection refused' } }] : [],
    links: [], params: s.model ? { temperature: 0.2, max_tokens: 2048 } : {}, metadata: { customer: 'example.com' }, scores: s.kind === 'agent' ? [{ name: 'helpful', value: 0.8, text: '0.8' }] : [],
    input: { form: 'json', size: 900, preview: '返品したいのですが' }, output: { form: 'json', size: 400 },
  };
}

export function traceOf(trace: string, limit: number): Trace | undefined {
  const all = lights(trace);
  return all && { trace, spans: all.slice(0, limit).map((s) => spanOf(trace, s)), truncated: all.length > limit, session: 'chat-4711', total_cost_usd: all.reduce((n, s) => n + (s.cost ?? 0), 0) };
}

export function treeOf(trace: string): unknown {
  const all = lights(trace) ?? [];
  return {
    trace, total: all.length, start: new Date(t0).toISOString(), next_cursor: '',
    items: { ids: all.map((s) => s.id), parents: all.map((s) => s.parent), names: all.map((s) => s.name), kinds: all.map((s) => s.kind), statuses: all.map((s) => (s.error ? 'error' : 'ok')), starts_ms: all.map((s) => s.at), durations_ms: all.map((s) => s.took), first_tokens_ms: all.map((s) => s.first ?? 0), costs_usd: all.map((s) => s.cost ?? 0), tokens: all.map((s) => s.tokens ?? 0), models: all.map((s) => s.model ?? ''), errors: all.map((s) => s.error ?? ''), covered: all.map(() => false) },
  };
}

const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';
const none: Canonical = { form: 'none', input: {}, output: {} };

export function messagesOf(trace: string, id: string): Canonical {
  const s = lights(trace)?.find((x) => x.id === id);
  if (!s) return none;
  switch (s.kind) {
    case 'generation':
      return {
        form: 'messages', new_from: 5,
        input: {
          messages: [
            { role: 'system', parts: [{ type: 'text', text: 'You answer customers of a shop. Use the tools; never invent an order.' }] },
            { role: 'user', parts: [{ type: 'text', text: '注文 **A-1042** を返品したいのですが、まだ間に合いますか?' }, { type: 'audio', mime: 'audio/wav', name: 'voice.wav', data: wav }] },
            { role: 'assistant', parts: [{ type: 'thinking', text: 'The handbook gives 30 days.\nI need the date of the order.' }, { type: 'tool_call', id: 'c1', name: 'query_database', arguments: { sql: 'select placed_at, total\nfrom orders\nwhere id = $1', params: ['A-1042'] } }] },
            { role: 'tool', parts: [{ type: 'tool_result', id: 'c1', result: [{ placed_at: '2026-11-02', total: 42.5, currency: 'EUR' }] }] },
            { role: 'assistant', parts: [{ type: 'text', text: 'Placed on 2 November.' }, { type: 'tool_call', id: 'c2', name: 'query_database', arguments: { sql: 'select status from shipments where order_id = $1' } }] },
            { role: 'tool', parts: [{ type: 'tool_result', id: 'c2', error: true, result: 'ConnectionError: connection refused' }] },
          ],
          tools: [{ name: 'query_database', description: 'Runs a read-only query.', schema: { type: 'object', properties: { sql: { type: 'string' } } } }, { name: 'send_email', description: 'Sends a mail to the customer.', schema: { type: 'object' } }],
        },
        output: { messages: [{ role: 'assistant', finish: 'stop', parts: [{ type: 'text', text: 'はい、12 月 2 日まで返品できます。\n\n1. 返品ラベルを印刷します\n2. 箱に貼って発送します' }, { type: 'file', name: 'label.pdf', mime: 'application/pdf', url: 'https://files.example.com/label.pdf' }] }] },
      };
    case 'retriever':
      return { form: 'value', input: { value: '返品 期限' }, output: {}, documents: [0.91, 0.87, 0.52, 0.21].map((score, i) => ({ id: `handbook/${['returns', 'refunds', 'shipping', 'gift-cards'][i]}.md`, score, text: 'Items may be sent back **within 30 days** of the order. The customer pays the way back unless the item was damaged.', metadata: { section: i + 1, lang: 'en' } })) };
    case 'tool':
      return { form: 'value', input: { value: { sql: 'select placed_at, total from orders where id = $1', params: ['A-1042'] } }, output: { value: s.error ? null : { rows: [{ placed_at: '2026-11-02', total: 42.5 }], took_ms: s.took } } };
    default:
      return { form: 'value', input: { value: { question: '注文 A-1042 を返品したい', customer: 'example.com' } }, output: { value: s.kind === 'guardrail' ? { allowed: true } : 'はい、12 月 2 日まで返品できます。' } };
  }
}

const delta = (d: number, c: number, t: number) => ({ duration_ms: d, cost_usd: c, tokens: t });

export function diffOf(a: string, b: string): unknown {
  const side = (ref: string) => {
    const trace = ref.split('/')[0]!;
    const all = lights(trace) ?? lights(appTrace)!;
    const root = spanOf(trace, all[0]!);
    return { trace, span: ref.split('/')[1] ?? '', root, name: root.name, start: root.start, duration_ms: root.duration_ms, spans: all.length, calls: all.filter((s) => s.kind === 'generation').length, errors: all.filter((s) => s.error).length, tokens: all.reduce((n, s) => n + (s.tokens ?? 0), 0), cost_usd: all.reduce((n, s) => n + (s.cost ?? 0), 0), models: ['claude-sonnet'], session: 'chat-4711', status: 'ok' };
  };
  const [x, y] = [side(a), side(b)];
  const left = lights(x.trace) ?? lights(appTrace)!;
  const right = lights(y.trace) ?? lights(appTrace)!;
  const depth = (s: Light, all: Light[]): number => (s.parent ? 1 + depth(all.find((p) => p.id === s.parent)!, all) : 0);
  const rows = left.map((s, i) => {
    const o = right[i];
    const d = depth(s, left);
    if (!o || i === 19) return { op: 'removed', depth: d, a: spanOf(x.trace, s), b: null, delta: delta(-s.took, -(s.cost ?? 0), -(s.tokens ?? 0)), parts: [], unread: false };
    const base = { depth: d, a: spanOf(x.trace, s), b: spanOf(y.trace, o), delta: delta(o.took - s.took, (o.cost ?? 0) - (s.cost ?? 0), (o.tokens ?? 0) - (s.tokens ?? 0)), unread: false };
    if (i === 8) return { ...base, op: 'changed', parts: [{ what: 'params', path: 'temperature', op: 'changed', before: 0.2, after: 0.9 }, { what: 'message', path: 'input.messages[1]', role: 'user', op: 'changed', before: null, after: null, words: [['=', '注文 A-1042 を'], ['-', '返品'], ['+', '交換'], ['=', 'したいのですが、まだ間に合いますか?'], ['…', '1240'], ['=', ' Thank you'], ['+', ' very much'], ['=', '.']] }] };
    if (i === 9) return { ...base, op: 'changed', parts: [{ what: 'arguments', path: '$', op: 'changed', before: { sql: 'select placed_at\nfrom orders', limit: 10 }, after: { sql: 'select placed_at, total\nfrom orders', limit: 10, timeout: 5 } }, { what: 'result', path: '$', op: 'added', before: null, after: { rows: [] } }] };
    return { ...base, op: i === 14 ? 'moved' : 'same', parts: [] };
  });
  rows.splice(12, 0, { op: 'added', depth: 1, a: null, b: spanOf(y.trace, right[5]!), delta: delta(300, 0.001, 40), parts: [], unread: false } as never);
  return { a: x, b: y, delta: { duration_ms: y.duration_ms - x.duration_ms, cost_usd: y.cost_usd - x.cost_usd, tokens: y.tokens - x.tokens, spans: y.spans - x.spans, calls: y.calls - x.calls, errors: y.errors - x.errors }, counts: {}, rows, notes: [] };
}

const stamp = new Date(now - 600_000).toISOString();
export const scores = [
  { id: 's1', name: 'helpful', type: 'numeric', value: 0.8, text: '0.8', source: 'human', author: 'mika@example.com', comment: 'Right, but the mail came late.', created: stamp, updated: stamp },
  { id: 's2', name: 'grounded', type: 'boolean', value: true, text: 'true', source: 'judge', author: 'claude-sonnet', created: stamp, updated: stamp },
  { id: 's3', name: 'tone', type: 'categorical', value: 'polite', text: 'polite', source: 'api', author: 'ci', created: stamp, updated: stamp },
];
export const comments = [{ id: 'm1', author: 'jun@example.com', text: 'The second query failed; see `query_database`.', created: stamp, updated: stamp }];
export const shares = [{ id: 'h1', trace: appTrace, bodies: false, author: 'mika@example.com', created: stamp, expires: new Date(now + 86_400_000).toISOString() }];
