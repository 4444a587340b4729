import { describe, expect, it } from 'vitest';
import { bytes, change, compact, duration, durationShort, money, moneyShort, percent, rate } from './format';

describe('money', () => {
  it.each([
    [0, '$0'],
    [0.0000123, '$0.000012'],
    [0.007, '$0.0070'],
    [0.0392, '$0.0392'],
    [1.5, '$1.50'],
    [1234.5, '$1,235'],
    [-0.5, '−$0.5000'],
  ])('%d reads %s', (usd, text) => expect(money(usd)).toBe(text));
  it('never shows a cost as nothing', () => expect(money(1e-9)).not.toBe('$0'));
  it('shows prices with cents at least', () => expect([rate(0.3), rate(15), rate(0.0375)]).toEqual(['$0.30', '$15.00', '$0.0375']));
  it('shortens for axes', () => expect([moneyShort(0.05), moneyShort(4), moneyShort(250), moneyShort(12_345)]).toEqual(['$0.05', '$4.00', '$250', '$12.3K']));
});

it.each([
  [0, '0 ms'],
  [0.25, '0.25 ms'],
  [999.4, '999 ms'],
  [1234, '1.23 s'],
  [59_940, '59.9 s'],
  [61_000, '1m 1s'],
  [3_720_000, '1h 2m'],
  [90_000_000, '1d 1h'],
])('duration %d reads %s', (ms, text) => expect(duration(ms)).toBe(text));

it('drops zeros of durations on axes', () => expect([durationShort(5000), durationShort(2500), durationShort(20_000)]).toEqual(['5 s', '2.5 s', '20 s']));
it('counts bytes in thousands', () => expect([bytes(999), bytes(1500), bytes(22_402_048)]).toEqual(['999 B', '1.5 kB', '22.4 MB']));
it('has no change from nothing', () => expect([change(5, 0), change(5, 4)]).toEqual([undefined, 0.25]));
it('shows unknown as a dash', () => expect([compact(null), duration(undefined), percent(undefined), percent(NaN)]).toEqual(['–', '–', '–', '–']));
