import type { Span } from '@/shared/api/types';

/** A trace's spans as a tree, flattened in the order shown. */
export interface Row {
  span: Span;
  depth: number;
  children: number;
  start: number; // ms after the trace's start
  took: number;
}

export interface Tree {
  rows: Row[];
  total: number; // ms from the first start to the last end
}

export function tree(spans: Span[], closed: ReadonlySet<string> = new Set()): Tree {
  const known = new Set(spans.map((s) => s.id));
  const kids = new Map<string, Span[]>();
  for (const s of spans) {
    const parent = s.parent && s.parent !== s.id && known.has(s.parent) ? s.parent : ''; // an absent parent makes a root
    kids.set(parent, [...(kids.get(parent) ?? []), s]);
  }
  for (const list of kids.values()) list.sort((a, b) => at(a) - at(b));
  const t0 = Math.min(...spans.map(at));
  const rows: Row[] = [];
  const seen = new Set<string>();
  const visit = (s: Span, depth: number) => {
    if (seen.has(s.id)) return;
    seen.add(s.id);
    const below = kids.get(s.id) ?? [];
    rows.push({ span: s, depth, children: below.length, start: at(s) - t0, took: s.duration_ms });
    if (!closed.has(s.id)) below.forEach((c) => visit(c, depth + 1));
  };
  (kids.get('') ?? []).forEach((s) => visit(s, 0));
  if (closed.size === 0) spans.filter((s) => !seen.has(s.id)).forEach((s) => visit(s, 0)); // parents in a circle
  const total = Math.max(1, ...spans.map((s) => at(s) - t0 + s.duration_ms));
  return { rows, total };
}

const at = (s: Span) => Date.parse(s.start);

/** What is opened first: the first error, deepest of its line; else the first model call; else the root. */
export function first(rows: Row[]): string | undefined {
  const failed = rows.filter((r) => r.span.status === 'error');
  const deepest = failed.find((r) => !failed.some((x) => x.span.parent === r.span.id));
  return (deepest ?? rows.find((r) => r.span.kind === 'generation') ?? rows[0])?.span.id;
}

export function nextError(rows: Row[], current: string | undefined): string | undefined {
  const at = rows.findIndex((r) => r.span.id === current);
  return [...rows.slice(at + 1), ...rows.slice(0, at + 1)].find((r) => r.span.status === 'error')?.span.id;
}
