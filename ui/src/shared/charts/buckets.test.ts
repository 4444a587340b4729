import { expect, it } from 'vitest';
import { merged } from './buckets';
import { nice } from './Plot';

const list = [1, 2, 4, 8, 16].map((from, i) => ({ from, to: from * 2, count: i, errors: i % 2 }));

it('keeps buckets that fit', () => expect(merged(list, 5)).toBe(list));
it('puts neighbours together without losing a call', () => expect(merged(list, 3)).toEqual([{ from: 1, to: 4, count: 1, errors: 1 }, { from: 4, to: 16, count: 5, errors: 1 }, { from: 16, to: 32, count: 4, errors: 0 }]));
it('rounds axes up, to even numbers where halves mean nothing', () => expect([nice(0.083), nice(42), nice(1), nice(3, true), nice(0.4, true)]).toEqual([0.1, 50, 1, 6, 2]));
