import { expect, it } from 'vitest';
import { isLone } from './option';

it('marks values that no line leads to', () => expect([3, null, 0, null, 1, 2].map((_, i, all) => isLone(all, i))).toEqual([true, false, true, false, false, false]));
