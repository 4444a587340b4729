import { expect, it } from 'vitest';
import { nearEnd } from './budget';

it('lists live keys from 70 % of their budget on, the fullest first', () => {
  const key = (id: string, spend_usd: number, more = {}) => ({ id, spend_usd, max_budget_usd: 10, ...more });
  const keys = [key('six', 6.9), key('seven', 7), key('over', 12), key('nine', 9), key('blocked', 9, { blocked: true }), key('old', 9, { expires: '2020-01-01T00:00:00Z' }), { id: 'free', spend_usd: 99, max_budget_usd: null }];
  expect(nearEnd(keys).map((k) => k.id)).toEqual(['over', 'nine', 'seven']);
});
