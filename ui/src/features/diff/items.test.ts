import { expect, it } from 'vitest';
import { refOf } from '@/shared/diff/ref';
import { growth, items, linesOf, nextChange, repeated, sideOf, textOf, wordsOf, type Item } from './items';
import type { Change, Row } from './types';

const rows = (ops: string): Row[] => [...ops].map((o) => ({ op: o === '.' ? 'same' : o === '+' ? 'added' : 'changed', depth: 0, delta: { duration_ms: 0, cost_usd: 0, tokens: 0 } }));
const shown = (ops: string, opened: number[] = [], all = false) => items(rows(ops), all, new Set(opened)).map((x) => ('row' in x ? String(x.row) : `${x.from}-${x.to}`)).join(' ');

it('hides long runs of equal steps, with a landmark on each side', () => {
  expect(shown('.......c......')).toBe('0 1-6 6 7 8 9-14');
  expect(shown('c')).toBe('0');
  expect(shown('..c..c..')).toBe('0 1 2 3 4 5 6 7');
  expect(shown('......')).toBe('0 1-6');
});
it('shows what the reader unfolds', () => {
  expect(shown('.......c', [1])).toBe('0 1 2 3 4 5 6 7');
  expect(shown('......', [], true)).toBe('0 1 2 3 4 5');
});
it('is empty without rows', () => expect(shown('')).toBe(''));

it('goes from change to change, round the ends', () => {
  const list: Item[] = items(rows('c...+'), true, new Set());
  const go = (at: number, d: 1 | -1) => nextChange(list, rows('c...+'), at, d);
  expect([go(-1, 1), go(0, 1), go(4, 1), go(0, -1), go(4, -1)]).toEqual([0, 4, 0, 4, 0]);
  expect(nextChange(items(rows('..'), true, new Set()), rows('..'), 0, 1)).toBe(-1);
});

const change = (c: Partial<Change>): Change => ({ what: 'message', path: '', op: 'changed', ...c });
it('reads words, and either side of them', () => {
  const w = wordsOf(change({ words: [['=', 'a '], ['-', 'b'], ['+', 'c'], ['…', '120']] }))!;
  expect(sideOf(w, 'a')).toEqual([['=', 'a '], ['-', 'b'], ['…', '120']]);
  expect(sideOf(w, 'b')).toEqual([['=', 'a '], ['+', 'c'], ['…', '120']]);
  expect(wordsOf(change({ words: null }))).toBeUndefined();
});
it('compares values by line', () => {
  expect(linesOf(change({ before: { a: 1 }, after: { a: 2 } }))?.filter((l) => l.mark !== ' ')).toEqual([{ mark: '-', text: '  "a": 1' }, { mark: '+', text: '  "a": 2' }]);
  expect(linesOf(change({ before: { a: 1 }, after: { a: 1, b: 2 } }))?.filter((l) => l.mark !== ' ')).toEqual([{ mark: '+', text: '  "b": 2' }]);
  expect(linesOf(change({ before: 0.2, after: 0.9 }))).toBeUndefined();
  expect([textOf('x'), textOf(null), textOf(3)]).toEqual(['x', '', '3']);
});
it('tells growth only from something', () => expect([growth(2, 1), growth(0, 1), growth(undefined, 1)]).toEqual([0.5, undefined, undefined]));

it.each([
  ['0af7651916cd43dd8448eb211c80319c', '0af7651916cd43dd8448eb211c80319c'],
  [' 0af7651916cd43dd/8448eb211c80319c ', '0af7651916cd43dd/8448eb211c80319c'],
  ['http://127.0.0.1:4000/ui/traces/0af7?span=99aa&tab=io', '0af7/99aa'],
  ['http://127.0.0.1:4000/ui/traces/0af7', '0af7'],
  ['https://weir.example.com/x/ui/traces/0af7?tab=io', '0af7'],
  ['two words', undefined],
  ['', undefined],
])('reads %s', (text, ref) => expect(refOf(text)).toBe(ref));

it('finds what earlier steps changed in the same way', () => {
  const a = change({ what: 'model', before: 'x', after: 'y' });
  const b = change({ what: 'model', before: 'x', after: 'y' });
  const c = change({ what: 'model', before: 'x', after: 'z' });
  const list = rows('ccc').map((r, i) => ({ ...r, parts: [[a, { ...a }], [b, c], []][i] }));
  expect([...repeated(list)]).toEqual([b]);
});
