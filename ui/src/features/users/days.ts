import type { ActiveDay } from '@/shared/api/observe';
import type { PlotPoint } from '@/shared/charts/Plot';

const day = 86_400_000;

/** The last `n` days up to now in UTC, those without calls as nothing. */
export function daysOf(have: ActiveDay[], n: number, now: number): PlotPoint[] {
  const by = new Map(have.map((d) => [d.day, d]));
  return Array.from({ length: n }, (_, i) => {
    const t = new Date(now - (n - 1 - i) * day).toISOString().slice(0, 10);
    const d = by.get(t);
    return { t, value: d?.calls ?? 0, bad: d?.errors };
  });
}
