import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connect, Plugin } from 'vite';
import type { Aggregate, Totals, TraceRow } from '../src/shared/api/types';
import { appTrace, comments, diffOf, lights, messagesOf, scores, shares, spanOf, traceOf, treeOf } from './traces';
import * as observe from './observe';
import { keys, liveRow, models, now, rows, session, sessionID, sessions, spans } from './fixtures';

/** Answers /api/v1 from fixtures, for development and screenshots without a server. WEIR_MOCK=empty|login shows those states. */
export function mock(): Plugin {
  return {
    name: 'weir-mock',
    configureServer: (s) => void s.middlewares.use(handle),
    configurePreviewServer: (s) => {
      s.middlewares.use(handle);
      s.middlewares.use(underUI(s.config.build.outDir));
    },
    transformIndexHtml: { order: 'pre', handler: (html, ctx) => (ctx.server ? html.replace('<base href="./" />', '<base href="/" />') : html) },
  };
}

/** The build under /ui/ with the base filled in, as the Go handler serves it. */
function underUI(dist: string): Connect.NextHandleFunction {
  return (req, res, next) => {
    const path = new URL(req.url ?? '/', 'http://x').pathname;
    if (!path.startsWith('/ui/')) return next();
    const rest = path.slice('/ui/'.length);
    if (rest.startsWith('assets/') || rest === 'icon.svg') {
      req.url = '/' + rest;
      return next();
    }
    const up = '../'.repeat(rest.split('/').length - 1) || './';
    res.setHeader('content-type', 'text/html; charset=utf-8');
    res.end(readFileSync(`${dist}/index.html`, 'utf8').replace('<base href="./" />', `<base href="${up}" />`));
  };
}

type Q = URLSearchParams;
const mode = () => process.env.WEIR_MOCK ?? '';
let signedIn = true;

const me = () => ({ means: 'session', role: 'admin', user: { id: 'u1', email: 'admin@example.com', name: 'Admin' }, project: { id: 'p1', name: 'default' }, projects: [{ id: 'p1', name: 'default' }, { id: 'p2', name: '検証環境' }], csrf: 'x', local: true, version: '0.1.0', demo: true });

const names: Record<string, string> = { cost: 'cost_usd', duration: 'duration_ms', ttft: 'first_token_ms', tag: 'tags' };
const valueOf = (r: TraceRow, name: string): unknown => (r as unknown as Record<string, unknown>)[names[name] ?? name];
const amount = (s: string): number => parseFloat(s) * (/\ds$/.test(s) ? 1000 : /\dm$/.test(s) ? 60_000 : 1);

/** A miniature of the server's filter language: enough for facets and the search bar. */
function matcher(filter: string): (r: TraceRow) => boolean {
  const tests: ((r: TraceRow) => boolean)[] = [];
  for (const m of filter.matchAll(/(-?)([a-z_.]+)\s*(!=|>=|<=|=|:|>|<)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s()]+))|"([^"]*)"|(\S+)/gi)) {
    if (m[2]) {
      const want = m[4] ?? m[5] ?? '';
      const not = m[1] === '-' || m[3] === '!=';
      tests.push((r) => {
        const v = valueOf(r, m[2]!);
        if (m[3] === '>' || m[3] === '>=') return Number(v) >= amount(want);
        if (m[3] === '<' || m[3] === '<=') return Number(v) <= amount(want);
        return (Array.isArray(v) ? v.includes(want) : String(v ?? '') === want) !== not;
      });
    } else if (!/^(and|or)$/i.test(m[7] ?? '')) {
      const w = (m[6] ?? m[7] ?? '').toLowerCase();
      tests.push((r) => `${r.input_preview} ${r.output_preview} ${r.error_text}`.toLowerCase().includes(w));
    }
  }
  return (r) => tests.every((t) => t(r));
}

function select(q: Q): TraceRow[] {
  if (mode() === 'empty') return [];
  const from = q.get('from') ?? '';
  const to = q.get('to') ?? '9';
  const match = matcher(q.get('filter') ?? '');
  return rows.filter((r) => r.start >= from && r.start <= to && match(r));
}

function pct(xs: number[], p: number): number | null {
  if (xs.length === 0) return null;
  const s = [...xs].sort((a, b) => a - b);
  return s[Math.min(s.length - 1, Math.floor(s.length * p))]!;
}

function totals(rs: TraceRow[]): Totals {
  const sum = (f: (r: TraceRow) => number | undefined) => rs.reduce((n, r) => n + (f(r) ?? 0), 0);
  const ms = rs.map((r) => r.duration_ms);
  const tt = rs.flatMap((r) => (r.first_token_ms ? [r.first_token_ms] : []));
  return { calls: rs.length, errors: rs.filter((r) => r.status === 'error').length, cost_usd: sum((r) => r.cost_usd), input: sum((r) => r.usage?.input), cache_read: sum((r) => r.usage?.cache_read), cache_write: sum((r) => r.usage?.cache_write), output: sum((r) => r.usage?.output), p50_ms: pct(ms, 0.5), p95_ms: pct(ms, 0.95), ttft_p50_ms: pct(tt, 0.5), ttft_p95_ms: pct(tt, 0.95) };
}

function aggregate(q: Q): Aggregate {
  const to = Date.parse(q.get('to') ?? '') || now;
  const from = Date.parse(q.get('from') ?? '') || to - 86_400_000;
  const rs = select(q);
  const steps = [60_000, 300_000, 900_000, 1_800_000, 3_600_000, 21_600_000, 86_400_000];
  const step = q.get('interval') === 'none' ? to - from : (steps.find((s) => (to - from) / s <= 60) ?? 86_400_000);
  const by = q.get('group_by') ?? '';
  const groups = new Map<string, TraceRow[]>();
  for (const r of rs) {
    const g = by ? String((r as unknown as Record<string, unknown>)[by === 'key' ? 'key_alias' : by] ?? '') : '';
    groups.set(g, [...(groups.get(g) ?? []), r]);
  }
  const series = [...groups].sort((a, b) => b[1].length - a[1].length).slice(0, 8).map(([group, g]) => {
    const points = [];
    for (let t = Math.floor(from / step) * step; t < to; t += step) {
      const inside = g.filter((r) => Date.parse(r.start) >= t && Date.parse(r.start) < t + step);
      points.push({ t: new Date(t).toISOString(), ...totals(inside) });
    }
    return { group, points: q.get('interval') === 'none' ? [] : points, totals: totals(g) };
  });
  const prev = new URLSearchParams(q);
  prev.set('from', new Date(from - (to - from)).toISOString());
  prev.set('to', new Date(from).toISOString());
  return { interval_ms: step, series, totals: totals(rs), previous: totals(select(prev)) };
}

function page<R>(items: R[], q: Q) {
  const at = Number(q.get('cursor') ?? 0);
  const n = Number(q.get('limit') ?? 50);
  return { items: items.slice(at, at + n), next_cursor: at + n < items.length ? String(at + n) : undefined, partial: false };
}

function facets(q: Q) {
  const counts = new Map<string, number>();
  for (const r of select(q)) {
    const v = valueOf(r, q.get('field') ?? '');
    for (const x of Array.isArray(v) ? v : [v]) if (x !== undefined && x !== '') counts.set(String(x), (counts.get(String(x)) ?? 0) + 1);
  }
  return { values: [...counts].map(([value, count]) => ({ value, count })).filter((v) => v.value.startsWith(q.get('prefix') ?? '')).sort((a, b) => b.count - a.count).slice(0, Number(q.get('limit') ?? 20)) };
}

const field = (name: string, type: string, values?: string[]) => ({ name, type, ops: ['number', 'money', 'duration'].includes(type) ? ['=', '!=', '<', '<=', '>', '>='] : ['=', '!=', 'in', 'not in', 'like', 'exists'], values });
const fields = [field('status', 'enum', ['ok', 'error', 'canceled', 'interrupted']), field('kind', 'enum', ['generation', 'agent', 'tool', 'retriever']), ...['model', 'provider', 'user', 'email', 'team_alias', 'key_alias', 'client', 'session', 'error_type', 'deployment', 'tag'].map((n) => field(n, 'text')), field('cost', 'money'), field('duration', 'duration'), field('ttft', 'duration'), field('http', 'number')];

function trace(id: string) {
  const known = spans.get(id);
  const r = rows.find((x) => x.trace === id);
  if (!r) return undefined;
  const span = known?.span ?? { ...r, end: r.start, params: { max_tokens: 1024 }, metadata: {}, attributes: {}, tries: [], dialect: 'openai_chat', cost: { total_usd: r.cost_usd ?? 0, source: 'measured', book: '2026-11-01' } };
  if (id !== `7a11${'1'.padStart(28, '0')}`) return { trace: id, spans: [span], session: r.session, total_cost_usd: r.cost_usd, usage: r.usage };
  const t0 = Date.parse(span.start) - 900;
  const child = (n: number, kind: string, name: string, parent: string, start: number, took: number, status = 'ok') => ({ ...span, id: `aa${n}`, parent, kind, name, start: new Date(t0 + start).toISOString(), duration_ms: took, usage: {}, cost_usd: 0, cost: null, status, error_text: status === 'error' ? 'exit status 1' : undefined, tries: [], first_token_ms: undefined, dialect: '', model: '' });
  const all = [child(1, 'agent', 'coding agent', '', 0, span.duration_ms + 4200), child(2, 'retriever', 'search docs', 'aa1', 40, 610), child(3, 'embedding', 'embed query', 'aa2', 60, 180), { ...span, parent: 'aa1' }, child(4, 'tool', 'execute_command', 'aa1', span.duration_ms + 1300, 2100, 'error'), child(5, 'tool', 'read_file', 'aa1', span.duration_ms + 3500, 60)];
  return { trace: id, spans: all, session: span.session, total_cost_usd: span.cost_usd, usage: span.usage };
}

const image = 'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC';

function body(traceID: string, side: string): unknown {
  const s = spans.get(traceID);
  if (s) return side === 'input' ? s.step.request : (s.step.answer ?? { error: { message: s.step.error } });
  const r = rows.find((x) => x.trace === traceID);
  if (side === 'input') return { model: r?.model, messages: [{ role: 'system', content: 'You answer in one short paragraph.' }, { role: 'user', content: [{ type: 'text', text: r?.input_preview }, { type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } }] }], max_tokens: 1024, tools: [{ type: 'function', function: { name: 'lookup', description: 'Looks a SKU up.', parameters: { type: 'object', properties: { sku: { type: 'string' } } } } }] };
  return { id: 'chatcmpl-1', object: 'chat.completion', model: r?.upstream_model, choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: r?.output_preview, tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'lookup', arguments: '{"sku":"A-100"}' } }] } }], usage: { prompt_tokens: 900, completion_tokens: 40 } };
}

const system = () => ({ version: '0.1.0', uptime_s: 86_400 * 3 + 4210, ready: { ready: true, degraded: true, checks: [{ name: 'auth', ok: true, detail: '7 keys' }, { name: 'truth', ok: true, detail: 'pebble, synced 4 ms ago' }, { name: 'rows', ok: true, detail: 'sqlite' }, { name: 'index', ok: false, detail: 'rebuilding, 3.1 s behind' }] }, queue: { depth: 12, capacity: 4096 }, index: { lag: 118, position: 48_202, committed: 48_320 }, stores: [{ name: 'truth', bytes: 418_302_112 }, { name: 'index', bytes: 22_402_048 }, { name: 'rows', bytes: 1_302_528 }], disk: { free: 81_302_400_000, total: 256_060_514_304 }, log_levels: { gateway: 'info', ingest: 'info', store: 'warn', surface: 'info' } });

/** Reads of an application's trace, and of a share of one. */
function application(id: string, c: string | undefined, span: string | undefined, side: string | undefined, q: Q): Answer {
  if (c === 'tree') return { json: treeOf(id) };
  if (side === 'messages') return { json: messagesOf(id, span!) };
  if (side) return { text: JSON.stringify(messagesOf(id, span!)[side as 'input' | 'output'] ?? {}) };
  if (c === 'spans') {
    const s = lights(id)!.find((x) => x.id === span);
    return s ? { json: spanOf(id, s) } : { status: 404, json: { error: { code: 'not_found', message: `no span ${span}` } } };
  }
  return { json: traceOf(id, Number(q.get('limit') ?? 2000)) };
}

type Answer = { status?: number; json?: unknown; text?: string };

function route(method: string, path: string, q: Q): Answer {
  const [, a, id, c, span, side] = path.split('/').map(decodeURIComponent);
  const empty = mode() === 'empty';
  switch (a) {
    case 'me':
      return mode() === 'login' && !signedIn ? { status: 401, json: { error: { code: 'unauthenticated', message: 'Sign in first' } } } : { json: me() };
    case 'auth':
      signedIn = id !== 'logout';
      return { json: me() };
    case 'traces': {
      if (id === 'count') return { json: { count: select(q).length } };
      if (!id) return { json: q.get('view') === 'traces' ? page(observe.summaries(select(q)), q) : page(select(q), q) };
      if (lights(id)) return application(id, c, span, side, q);
      if (side === 'curl') return { text: `curl http://127.0.0.1:4000/v1/messages \\\n  -H "x-api-key: $WEIR_API_KEY" \\\n  -H 'content-type: application/json' \\\n  -d '{"model":"claude-sonnet"}'` };
      if (c === 'spans' && span && side) return { text: JSON.stringify(body(id, side)) };
      const t = trace(id);
      return t ? { json: t } : { status: 404, json: { error: { code: 'not_found', message: `no trace ${id}` } } };
    }
    case 'share':
      return id === 'gone' ? { status: 404, json: { error: { code: 'not_found', message: 'this link has expired' } } } : application(appTrace, c, span, side, q);
    case 'diff':
      return { json: diffOf(q.get('a') ?? '', q.get('b') ?? '') };
    case 'scores':
      if (id === 'names') return { json: { names: [{ name: 'helpful', type: 'numeric', count: 9, categories: [] }, { name: 'tone', type: 'categorical', count: 4, categories: ['polite', 'curt'] }] } };
      return { json: c === 'history' ? { items: scores.slice(0, 1) } : method === 'GET' ? { items: scores } : scores[0] };
    case 'comments':
      return { json: method === 'GET' ? { items: comments } : comments[0] };
    case 'shares':
      return { json: method === 'GET' ? { items: shares } : { ...shares[0], token: 'share-4f1b9e', url: '' } };
    case 'replay':
      return { json: { trace: appTrace, span: '', status: 'ok' } };
    case 'sessions':
      if (!id) return { json: page(empty ? [] : sessions, q) };
      return id === sessionID || sessions.some((s) => s.session === id) ? { json: session } : { status: 404, json: { error: { code: 'not_found', message: `no session ${id}` } } };
    case 'errors':
      return { json: observe.errors(select(q)) };
    case 'histogram':
      return { json: observe.histogram(select(q), q) };
    case 'heatmap':
      return { json: observe.heatmap(select(q), q) };
    case 'usage':
      return { json: observe.users(select(q)) };
    case 'users-activity':
      return { json: observe.activity(rows, q.get('user')) };
    case 'views':
      return { json: { items: [] } };
    case 'filter':
      return { json: { ok: true, normal: '', error: null } };
    case 'alerts':
      return { json: empty && !id ? { items: [] } : observe.alerts(id, c) };
    case 'sql':
      return { json: observe.sql(id) };
    case 'exports':
      return { json: empty ? { items: [] } : observe.exports };
    case 'audit':
      return { json: id === 'verify' ? observe.verified : observe.audit };
    case 'retention':
      return { json: { days: 30, default_days: 90 } };
    case 'erase':
      return { json: method === 'GET' && !id ? { items: [observe.erasure(false)] } : observe.erasure(method === 'POST') };
    case 'aggregate':
      return { json: aggregate(q) };
    case 'facets':
      return { json: facets(q) };
    case 'fields':
      if (id === 'paths') return { json: { paths: q.get('field') === 'score' ? [{ path: 'helpful', count: 9 }] : [{ path: 'tier', count: 40 }], partial: false } };
      return { json: { fields } };
    case 'keys':
      if (method === 'POST' && !id) return { json: { ...keys[0], id: 'k_new', alias: 'new', key: 'sk-4f1b9e0c7d2a4b6f8e13579bdf024681' } };
      return method === 'GET' ? { json: { items: empty ? [] : keys } } : { json: {} };
    case 'teams':
      return { json: { items: [{ id: 't1', alias: 'platform' }, { id: 't2', alias: 'checkout' }] } };
    case 'models':
      return { json: { items: models } };
    case 'system':
      return { json: system() };
    case 'connect':
      return { json: { base_url: 'http://127.0.0.1:4000' } };
  }
  return { status: 404, json: { error: { code: 'not_found', message: path } } };
}

function live(req: IncomingMessage, res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const timer = setInterval(() => {
    const r = liveRow();
    rows.unshift(r);
    res.write(`event: span\ndata: ${JSON.stringify(r)}\n\n`);
  }, 1500);
  req.on('close', () => clearInterval(timer));
}

function chat(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'x-weir-trace-id': spans.keys().next().value ?? '', 'x-litellm-response-cost': '0.00042' });
  const words = 'A weir raises the water a little so that it can be measured, and lets it run on. 堰は水位を少し上げ、流れを測り、また流します。'.match(/.{1,6}/gu) ?? [];
  let i = 0;
  const timer = setInterval(() => {
    const w = words[i++];
    if (w !== undefined) return void res.write(`data: ${JSON.stringify({ choices: [{ delta: { content: w } }] })}\n\n`);
    clearInterval(timer);
    res.end(`data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 12, completion_tokens: 44 } })}\n\ndata: [DONE]\n\n`);
  }, 25);
}

const handle: Connect.NextHandleFunction = (req, res, next) => {
  const u = new URL(req.url ?? '/', 'http://x');
  if (u.pathname === '/v1/chat/completions') return chat(res);
  if (!u.pathname.startsWith('/api/v1')) return next();
  const path = u.pathname.slice('/api/v1'.length);
  if (path === '/live') return live(req, res);
  const a = route(req.method ?? 'GET', path, u.searchParams);
  res.writeHead(a.status ?? 200, { 'content-type': a.text === undefined || path.endsWith('put') ? 'application/json' : 'text/plain' });
  res.end(a.text ?? JSON.stringify(a.json));
};
