import type { Span } from '@/shared/api/types';

/** All spans of a trace, one array a field: a trace of 50k spans is a few dozen arrays, not 50k objects. */
export interface Columns {
  n: number;
  at: number; // ms since the epoch of the trace's start, which `start` counts from
  ids: string[];
  parents: string[];
  names: string[];
  kinds: string[];
  statuses: string[];
  models: string[];
  errors: string[];
  start: Float64Array;
  took: Float64Array;
  first: Float64Array; // ms until the first token, 0 if not known
  cost: Float64Array;
  tokens: Float64Array;
  covered: Uint8Array; // 1: another span of the trace accounts for its cost and tokens
}

/** The answer of /tree. Columns a server leaves out are empty. */
export interface TreeAnswer {
  trace: string;
  total: number;
  start: string;
  next_cursor?: string;
  items: {
    ids: string[] | null;
    parents: string[] | null;
    names: string[] | null;
    kinds: string[] | null;
    statuses: string[] | null;
    starts_ms: number[] | null;
    durations_ms: number[] | null;
    first_tokens_ms?: (number | null)[] | null;
    costs_usd: number[] | null;
    tokens: number[] | null;
    models: string[] | null;
    errors: (string | boolean | number)[] | null;
    covered: boolean[] | null;
  };
}

const text = (v: string | boolean | number | undefined): string => (typeof v === 'string' ? v : '');
const numbers = (n: number, v: readonly (number | null)[] | null | undefined): Float64Array => Float64Array.from({ length: n }, (_, i) => v?.[i] ?? 0);

/** One set of columns from the pages of /tree, all relative to the first page's start. */
export function fromTree(pages: readonly TreeAnswer[]): Columns {
  const at = Date.parse(pages[0]?.start ?? '') || 0;
  const all = <K extends keyof TreeAnswer['items']>(k: K) => pages.flatMap((p) => (p.items[k] ?? []) as NonNullable<TreeAnswer['items'][K]>[number][]);
  const ids = all('ids');
  const n = ids.length;
  const strings = (v: (string | undefined)[]) => Array.from({ length: n }, (_, i) => v[i] ?? '');
  const errors = all('errors') as (string | boolean | number)[];
  const covered = all('covered');
  return {
    n, at, ids,
    parents: strings(all('parents')), names: strings(all('names')), kinds: strings(all('kinds')), statuses: strings(all('statuses')), models: strings(all('models')),
    errors: Array.from({ length: n }, (_, i) => text(errors[i])),
    start: numbers(n, all('starts_ms')), took: numbers(n, all('durations_ms')), first: numbers(n, all('first_tokens_ms')), cost: numbers(n, all('costs_usd')), tokens: numbers(n, all('tokens')),
    covered: Uint8Array.from({ length: n }, (_, i) => (covered[i] ? 1 : 0)),
  };
}

export function fromSpans(spans: readonly Span[]): Columns {
  const times = spans.map((s) => Date.parse(s.start));
  const at = times.reduce((a, b) => Math.min(a, b), Infinity);
  const n = spans.length;
  const number = (f: (s: Span) => number) => Float64Array.from(spans, f);
  return {
    n, at: n > 0 ? at : 0,
    ids: spans.map((s) => s.id), parents: spans.map((s) => s.parent ?? ''), names: spans.map((s) => s.name || s.model || ''), kinds: spans.map((s) => s.kind),
    statuses: spans.map((s) => s.status), models: spans.map((s) => s.model || s.upstream_model || ''), errors: spans.map((s) => s.error_type || s.error_text || ''),
    start: Float64Array.from(times, (x) => x - at), took: number((s) => s.duration_ms), first: number((s) => s.first_token_ms ?? 0), cost: number((s) => s.cost_usd ?? 0),
    tokens: number((s) => sum(s)), covered: Uint8Array.from(spans, (s) => (s.covered ? 1 : 0)),
  };
}

function sum(s: Span): number {
  const u = s.usage ?? {};
  return (u.input ?? 0) + (u.cache_read ?? 0) + (u.cache_write ?? 0) + (u.cache_write_1h ?? 0) + (u.output ?? 0);
}

export const failed = (c: Columns, i: number): boolean => c.statuses[i] === 'error';
