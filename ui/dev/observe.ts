import type { TraceRow } from '../src/shared/api/types';
import { now, rows } from './fixtures';

/** Answers about errors, users, alerts and administration, made from the fixtures' rows. */
type Q = URLSearchParams;

const iso = (t: number) => new Date(t).toISOString();
const usageOf = (rs: TraceRow[]) => {
  const sum = (f: 'input' | 'cache_read' | 'cache_write' | 'output') => rs.reduce((n, r) => n + (r.usage?.[f] ?? 0), 0);
  return { input: sum('input'), cache_read: sum('cache_read'), cache_write: sum('cache_write'), cache_write_1h: 0, output: sum('output'), reasoning: 0, estimated: false };
};
const cost = (rs: TraceRow[]) => rs.reduce((n, r) => n + (r.cost_usd ?? 0), 0);

function grouped(rs: TraceRow[], by: (r: TraceRow) => string): Map<string, TraceRow[]> {
  const out = new Map<string, TraceRow[]>();
  for (const r of rs) out.set(by(r), [...(out.get(by(r)) ?? []), r]);
  return out;
}

export function summaries(rs: TraceRow[]) {
  return rs.map((r) => ({
    trace: r.trace, root: r, name: r.name, start: r.start, end: r.start, duration_ms: r.duration_ms, spans: 1, calls: 1, errors: r.status === 'error' ? 1 : 0, cost_usd: r.cost_usd ?? 0,
    usage: usageOf([r]), models: [r.model ?? ''], services: [], session: r.session ?? '', user: r.user ?? '', tags: r.tags ?? [], scores: [], status: r.status,
  }));
}

export function errors(rs: TraceRow[]) {
  const bad = rs.filter((r) => r.status === 'error');
  const from = Math.min(now - 3_600_000, ...bad.map((r) => Date.parse(r.start)));
  const items = [...grouped(bad, (r) => `${r.error_type} ${r.model}`)].map(([id, g]) => {
    const spark = Array<number>(24).fill(0);
    for (const r of g) spark[Math.min(23, Math.floor(((Date.parse(r.start) - from) / (now - from)) * 24))]!++;
    const { error_type = '', model = '', provider = '', http = 0, error_text = '' } = g[0]!;
    return {
      id, class: error_type, provider, model, http, shape: error_text.replace(/\d+/g, '<n>'), filter: `error_type = "${error_type}" and model = "${model}"`, count: g.length, share: g.length / bad.length,
      first: g.at(-1)!.start, last: g[0]!.start, users: grouped(g, (r) => r.user ?? '').size, sessions: 1, spark, examples: g.slice(0, 3),
    };
  });
  return { items: items.sort((a, b) => b.count - a.count), total: bad.length, more: false, partial: false };
}

const values = (rs: TraceRow[], field: string | null) => rs.flatMap((r) => (field === 'ttft' ? (r.first_token_ms ?? []) : r.duration_ms));

function edges(xs: number[], n: number): number[] {
  const [a, b] = [Math.max(1, Math.min(...xs)), Math.max(2, ...xs)];
  return Array.from({ length: n + 1 }, (_, i) => a * (b / a) ** (i / n));
}

const place = (e: number[], v: number) => Math.min(e.length - 2, Math.max(0, e.findIndex((x) => v < x) - 1));

export function histogram(rs: TraceRow[], q: Q) {
  const xs = values(rs, q.get('field')).sort((a, b) => a - b);
  const e = edges(xs, 36);
  const buckets = e.slice(1).map((to, i) => ({ from: e[i]!, to, count: 0, errors: 0 }));
  for (const x of xs) buckets[place(e, x)]!.count++;
  const at = (p: number) => xs[Math.floor(xs.length * p)] ?? null;
  return { field: q.get('field'), unit: 'ms', log: true, count: xs.length, buckets, p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), partial: false };
}

export function heatmap(rs: TraceRow[], q: Q) {
  const e = edges(values(rs, q.get('field')), 18);
  const [step, from] = [900_000, now - 86_400_000];
  const intervals = Array.from({ length: 96 }, (_, i) => iso(from + i * step));
  const counts = intervals.map(() => Array<number>(18).fill(0));
  for (const r of rs) {
    const c = Math.floor((Date.parse(r.start) - from) / step);
    if (counts[c]) counts[c][place(e, q.get('field') === 'ttft' ? (r.first_token_ms ?? 0) : r.duration_ms)]!++;
  }
  return { field: q.get('field'), unit: 'ms', interval_ms: step, intervals, edges: e, counts, partial: false };
}

export function users(rs: TraceRow[]) {
  const items = [...grouped(rs, (r) => r.user ?? '')].map(([user, g]) => ({
    user, end_user: '', email: g[0]!.email ?? '', calls: g.length, errors: g.filter((r) => r.status === 'error').length, spans: g.length, sessions: grouped(g, (r) => r.session ?? '').size, traces: g.length, cost_usd: cost(g),
    usage: usageOf(g), first_seen: g.at(-1)!.start, last_seen: g[0]!.start, models: [...grouped(g, (r) => r.model ?? '').keys()], scores: [{ name: 'helpful', avg: 0.82, count: 9 }],
  }));
  return { items: items.sort((a, b) => b.cost_usd - a.cost_usd), next_cursor: '', partial: false };
}

export function activity(rs: TraceRow[], user: string | null) {
  const days = [...grouped(rs.filter((r) => r.user === user), (r) => r.start.slice(0, 10))].map(([day, g]) => ({ day, calls: g.length, errors: g.filter((r) => r.status === 'error').length, tokens: 0, cost_usd: cost(g) }));
  return { days: days.sort((a, b) => a.day.localeCompare(b.day)), partial: false };
}

const rule = {
  id: 'al1', name: 'Too many failures', enabled: true, filter: 'client = "Cline"', measure: 'error_rate', group_by: '', op: '>', threshold: 0.05, window: '15m', every: '1m', min_calls: 10, no_data: 'ok', cooldown: '1h',
  channels: [{ id: 'c1', kind: 'webhook', url: 'https://hooks.example.com/…', to: '', signed: true }], state: 'firing', reason: '', since: iso(now - 900_000), value: 0.083, last_checked: iso(now - 20_000), last_notified: iso(now - 900_000),
  snoozed_until: '', groups: [], owner: 'admin@example.com', created: iso(now - 86_400_000), updated: iso(now - 86_400_000),
};
const points = Array.from({ length: 48 }, (_, i) => ({ t: iso(now - (48 - i) * 900_000), value: i % 11 === 7 ? null : 0.03 + 0.025 * Math.sin(i / 3) + (i > 44 ? 0.04 : 0) }));

export function alerts(id: string | undefined, act: string | undefined) {
  if (!id) return { items: [rule, { ...rule, id: 'al2', name: '費用の上限', measure: 'cost', threshold: 40, state: 'ok', value: 12.4, channels: [] }] };
  if (id === 'preview') return { value: 0.083, group: '', state: 'firing', reason: '', would_fire: true, points };
  if (act === 'history') return { items: [{ time: rule.since, group: '', state: 'firing', reason: '', value: 0.083, notified: [{ channel: 'webhook', ok: true, error: '' }] }] };
  return act === 'test' ? { results: [{ channel: 'webhook', ok: true, error: '' }] } : rule;
}

export function sql(id: string | undefined) {
  const columns = [{ name: 'model', type: 'VARCHAR' }, { name: 'calls', type: 'BIGINT' }, { name: 'cost', type: 'DOUBLE' }];
  if (id === 'schema') return { tables: [{ name: 'spans', doc: 'one row a span', columns: ['trace_id', 'model', 'cost_usd', 'duration_ms'].map((name) => ({ name, type: 'VARCHAR', doc: '' })) }] };
  return { columns, rows: [...grouped(rows, (r) => r.model ?? '')].map(([m, g]) => [m, g.length, cost(g)]), truncated: false, partial: false, took_ms: 12.5 };
}

const entry = (seq: number, action: string, target: string, detail: object = {}) => ({ seq, time: iso(now - (9 - seq) * 3_600_000), actor: 'admin@example.com', means: 'session', action, target, project: 'default', detail, ip: '127.0.0.1', hash: 'd53a76f36ef3b819'.repeat(4) });

export const audit = { items: [entry(3, 'alert.create', 'al1', { name: rule.name }), entry(2, 'key.create', 'k_1', { alias: 'mika-agent' }), entry(1, 'retention.change', 'default', { days: 30, was: 0 })], next_cursor: '' };
export const verified = { ok: true, entries: 3, head: 'd53a76f36ef3b819'.repeat(4) };

const target = { kind: 's3', path: '', bucket: 'traces', prefix: 'weir', region: 'eu-central-1', endpoint: '', path_style: false, access_key_id: 'AKIA…', has_secret: true };
export const exports = { items: [{ id: 'e1', name: 'Everything', filter: '', every: 'daily', format: 'parquet', target, bodies: false, enabled: true, last_run: { time: iso(now - 7_200_000), took_ms: 812, ok: true, error: '', rows: 41_200, bytes: 9_310_000, files: 3 }, owner: 'admin@example.com', created: iso(now), updated: iso(now) }] };

const job = { job: 'er1', state: 'done', step: '', dry_run: false, kind: 'user', fingerprint: 'ab12'.repeat(16), reason: 'asked for it', actor: 'admin@example.com', traces: 12, spans: 96, bytes: 812_000, content: 140, shared_kept: 3, notes: 2, created: iso(now - 60_000), finished: iso(now - 58_000), error: '' };
const certificate = { job: 'er1', kind: 'user', fingerprint: job.fingerprint, counts: {}, traces_sha256: 'cd34'.repeat(16), started: job.created, finished: job.finished, removed: ['spans of 12 traces, their bodies and texts'], kept: ['3 bodies that other traces hold too'], not_covered: ['backups and exports made before'] };
export const erasure = (dry: boolean) => ({ ...job, dry_run: dry, certificate: dry ? null : certificate });
