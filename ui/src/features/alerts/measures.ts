import type { Alert } from '@/shared/api/observe';
import { compact, duration, moneyShort, percent } from '@/shared/format/format';
import type { Key, T } from '@/shared/i18n';

export interface Measure {
  id: string;
  label: Key;
  unit: 'share' | 'count' | 'ms' | 'usd' | 'score';
  start: number; // a threshold to begin with
}

export const measures: Measure[] = [
  { id: 'error_rate', label: 'm.errorrate', unit: 'share', start: 0.05 },
  { id: 'errors', label: 'm.errors', unit: 'count', start: 10 },
  { id: 'calls', label: 'm.calls', unit: 'count', start: 100 },
  { id: 'p50', label: 'm.p50', unit: 'ms', start: 5000 },
  { id: 'p95', label: 'm.p95', unit: 'ms', start: 15_000 },
  { id: 'p99', label: 'm.p99', unit: 'ms', start: 30_000 },
  { id: 'ttft_p95', label: 'm.ttft95', unit: 'ms', start: 3000 },
  { id: 'cost', label: 'm.cost', unit: 'usd', start: 10 },
  { id: 'tokens', label: 'm.tokens', unit: 'count', start: 1_000_000 },
  { id: 'cache_hit_rate', label: 'm.cacheshare', unit: 'share', start: 0.5 },
];

const scored = /^avg:score\.(.+)$/;
export const scoreMeasure = (name: string) => `avg:score.${name}`;

export function measureOf(id: string): Measure {
  return measures.find((m) => m.id === id) ?? { id, label: 'c.score', unit: 'score', start: 0.5 };
}

export function nameOf(id: string, t: T): string {
  const name = scored.exec(id)?.[1];
  return name ? t('alert.avg', { name }) : t(measureOf(id).label);
}

export function show(id: string, v: number | null | undefined): string {
  if (v == null) return '–';
  switch (measureOf(id).unit) {
    case 'share':
      return percent(v, v < 0.1 ? 1 : 0);
    case 'ms':
      return duration(v);
    case 'usd':
      return moneyShort(v);
    case 'score':
      return String(Math.round(v * 1000) / 1000);
    case 'count':
      return compact(v);
  }
}

/** Thresholds of shares are typed in percent. */
export const factor = (id: string) => (measureOf(id).unit === 'share' ? 100 : 1);

export function condition(a: Pick<Alert, 'measure' | 'op' | 'threshold' | 'window' | 'group_by'>, t: T): string {
  const what = `${nameOf(a.measure, t)} ${a.op} ${show(a.measure, a.threshold)}`;
  return t(a.group_by ? 'alert.condition.by' : 'alert.condition', { what, window: a.window, by: a.group_by });
}
