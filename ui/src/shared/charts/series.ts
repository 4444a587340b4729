import type { Aggregate, Point, Totals } from '../api/types';

/** Chart data: aligned to one time axis, empty intervals filled, at most eight groups and "other". */
export interface Line {
  name: string;
  other: boolean;
  values: (number | null)[];
}

export interface Chart {
  times: number[];
  lines: Line[];
}

export type Measure = 'calls' | 'errors' | 'cost' | 'tokens' | 'p50' | 'p95' | 'ttft_p50' | 'ttft_p95';

export function valueOf(p: Totals, m: Measure): number | null {
  switch (m) {
    case 'calls':
      return p.calls;
    case 'errors':
      return p.errors;
    case 'cost':
      return p.cost_usd;
    case 'tokens':
      return p.input + p.cache_read + p.cache_write + p.output;
    case 'p50':
      return p.p50_ms ?? null;
    case 'p95':
      return p.p95_ms ?? null;
    case 'ttft_p50':
      return p.ttft_p50_ms ?? null;
    case 'ttft_p95':
      return p.ttft_p95_ms ?? null;
  }
}

export const additive = (m: Measure) => m === 'calls' || m === 'errors' || m === 'cost' || m === 'tokens';

const maxPoints = 2000;

export function axis(a: Aggregate, from: number, to: number): number[] {
  const step = a.interval_ms;
  if (!step || step <= 0) return [];
  const out: number[] = [];
  for (let t = Math.floor(from / step) * step; t < to && out.length < maxPoints; t += step) out.push(t);
  return out;
}

export function chart(a: Aggregate | undefined, m: Measure, from: number, to: number, max = 8): Chart {
  if (!a) return { times: [], lines: [] };
  const times = axis(a, from, to);
  const index = new Map(times.map((t, i) => [t, i]));
  const fill = (points: Point[]) => {
    const values: (number | null)[] = times.map(() => (additive(m) ? 0 : null));
    for (const p of points) {
      const i = index.get(Date.parse(p.t));
      if (i !== undefined) values[i] = valueOf(p, m);
    }
    return values;
  };
  const own = a.series.filter((s) => !isOther(s)).slice(0, max);
  const rest = a.series.filter((s) => !own.includes(s));
  const lines: Line[] = own.map((s) => ({ name: s.group, other: false, values: fill(s.points) }));
  if (rest.length > 0 && additive(m)) {
    const sum = rest.map((s) => fill(s.points));
    lines.push({ name: '', other: true, values: times.map((_, i) => sum.reduce((n, v) => n + (v[i] ?? 0), 0)) });
  }
  return { times, lines };
}

function isOther(s: { group: string; other?: boolean }): boolean {
  return s.other === true;
}
