import { expect, it } from 'vitest';
import { find } from './find';

const pieces = [{ text: 'func ma', block: 1 }, { text: 'in()', block: 1 }, { text: 'MAIN main', block: 2 }];

it('finds words whatever their case, over pieces of a block', () => {
  expect(find(pieces, 'main')).toEqual([
    { from: [0, 5], to: [1, 2] },
    { from: [2, 0], to: [2, 4] },
    { from: [2, 5], to: [2, 9] },
  ]);
});
it('does not join blocks', () => expect(find(pieces, ')MAIN')).toEqual([]));
it('takes every character for itself', () => expect(find([{ text: 'a.b (x) {1} [y] $|', block: 1 }, { text: 'aXb', block: 2 }], 'a.b')).toHaveLength(1));
it.each(['(', '[', '{1}', '\\', '*', '/', '$', '-'])('searches for %s', (w) => expect(find([{ text: `x${w}y`, block: 1 }], w)).toEqual([{ from: [0, 1], to: [0, 1 + w.length] }]));
it('finds Japanese', () => expect(find([{ text: '納期は来週の金曜日まで', block: 1 }], '金曜日')).toEqual([{ from: [0, 6], to: [0, 9] }]));
it('finds nothing of nothing', () => expect(find(pieces, '')).toEqual([]));
