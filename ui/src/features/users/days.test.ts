import { expect, it } from 'vitest';
import { daysOf } from './days';

const day = (d: string, calls: number, errors = 0) => ({ day: d, calls, errors, tokens: 0, cost_usd: 0 });

it('fills the days without calls, and ends today in UTC', () =>
  expect(daysOf([day('2026-02-27', 4, 1), day('2020-01-01', 9)], 3, Date.parse('2026-03-01T00:30:00Z'))).toEqual([
    { t: '2026-02-27', value: 4, bad: 1 },
    { t: '2026-02-28', value: 0, bad: undefined },
    { t: '2026-03-01', value: 0, bad: undefined },
  ]));
