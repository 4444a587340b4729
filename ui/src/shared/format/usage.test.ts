import { expect, it } from 'vitest';
import { add, cacheShare, price, prompt, saved, total } from './usage';

const usage = { input: 100, cache_read: 800, cache_write: 60, cache_write_1h: 40, output: 50 };
const prices = { input_per_mtok: 3, output_per_mtok: 15, cache_read_per_mtok: 0.3, cache_write_per_mtok: 3.75, cache_write_1h_per_mtok: 6 };

it('keeps the buckets disjoint', () => expect([prompt(usage), total(usage)]).toEqual([1000, 1050]));
it('takes the share of the prompt, not of all tokens', () => expect([cacheShare(usage), cacheShare({})]).toEqual([0.8, undefined]));
it('adds bucket by bucket', () => expect(add(usage, { output: 1 })).toEqual({ ...usage, output: 51 }));
it('prices each bucket', () => expect(price(usage, prices)).toBeCloseTo((100 * 3 + 800 * 0.3 + 60 * 3.75 + 40 * 6 + 50 * 15) / 1e6, 12));
it('prices an unlisted cache bucket as input', () => expect(price({ cache_read: 1e6 }, { input_per_mtok: 2 })).toBe(2));
it('counts writing to the cache as a loss', () => expect(saved({ cache_write: 1e6 }, prices)).toBeCloseTo(-0.75, 9));
