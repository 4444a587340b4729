import { expect, it } from 'vitest';
import type { Aggregate, Series, Totals } from '../api/types';
import { chart } from './series';

const zero: Totals = { calls: 0, errors: 0, cost_usd: 0, input: 0, cache_read: 0, cache_write: 0, output: 0 };
const s = (group: string, at: number, calls: number, other = false): Series => ({ group, other, totals: zero, points: [{ ...zero, t: new Date(at).toISOString(), calls, p50_ms: 5 }] });
const a = (series: Series[]): Aggregate => ({ interval_ms: 100, series, totals: zero });

it('fills intervals without calls', () => {
  const c = chart(a([s('m', 100, 3)]), 'calls', 0, 300);
  expect([c.times, c.lines[0]!.values]).toEqual([[0, 100, 200], [0, 3, 0]]);
});
it('leaves gaps in percentiles', () => expect(chart(a([s('m', 100, 3)]), 'p50', 0, 300).lines[0]!.values).toEqual([null, 5, null]));
it('sums everything beyond eight into other', () => {
  const many = [...Array.from({ length: 10 }, (_, i) => s(`g${i}`, 0, 1)), s('', 0, 4, true)];
  const c = chart(a(many), 'calls', 0, 100);
  expect([c.lines.length, c.lines.at(-1)]).toEqual([9, { name: '', other: true, values: [6] }]);
});
it('never adds percentiles up', () => expect(chart(a([s('m', 0, 1), s('', 0, 4, true)]), 'p95', 0, 100).lines).toHaveLength(1));
it('bounds the points of a hostile interval', () => expect(chart({ ...a([]), interval_ms: 1 }, 'calls', 0, 1e9).times.length).toBeLessThanOrEqual(2000));
