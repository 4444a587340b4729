import { describe, expect, it } from 'vitest';
import { chosen, conjuncts, expectAt, indexOfByte, join, toggle } from './clauses';
import { suggest } from './suggest';

describe('conjuncts', () => {
  it('splits at top-level and', () => expect(conjuncts('a = 1 and (b = 2 and c = 3) and d = "x and y"')).toEqual(['a = 1', '(b = 2 and c = 3)', 'd = "x and y"']));
  it('does not split beside or', () => expect(conjuncts('a = 1 and b = 2 or c = 3')).toEqual(['a = 1 and b = 2 or c = 3']));
  it('puts or into brackets when joined', () => expect(join(['a = 1 or b = 2', 'c = 3'])).toBe('(a = 1 or b = 2) and c = 3'));
});

describe('toggle', () => {
  it.each([
    ['', 'model = "x"'],
    ['model = "x"', ''],
    ['model = "y" and cost > 1', 'model in ("y", "x") and cost > 1'],
    ['model in ("y", "x")', 'model = "y"'],
    ['model:y', 'model in ("y", "x")'],
    ['model != "x"', 'model != "x" and model = "x"'],
    ['timeout', 'timeout and model = "x"'],
    ['a = 1 or b = 2', '(a = 1 or b = 2) and model = "x"'],
  ])('%j becomes %j', (from, to) => expect(toggle(from, 'model', 'x')).toBe(to));
  it('quotes what needs it', () => expect(chosen(toggle('', 'name', 'say "hi" \\ 日本'), 'name')).toEqual(['say "hi" \\ 日本']));
});

describe('what may be typed', () => {
  const at = (s: string) => {
    const e = expectAt(s, s.length);
    return [e.want, e.field, e.prefix];
  };
  it.each([
    ['', ['field', undefined, '']],
    ['mod', ['field', undefined, 'mod']],
    ['model ', ['op', 'model', '']],
    ['model =', ['value', 'model', '']],
    ['model = cl', ['value', 'model', 'cl']],
    ['model = "cl', ['value', 'model', 'cl']],
    ['model in ("a", ', ['value', 'model', '']],
    ['model = "a" ', ['join', undefined, '']],
    ['model = "a" and (st', ['field', undefined, 'st']],
    ['not ', ['field', undefined, '']],
  ])('%j wants %j', (s, want) => expect(at(s)).toEqual(want));
  it('offers a field’s own values before facets', () => {
    const e = expectAt('status = e', 10);
    expect(suggest(e, [{ name: 'status', type: 'enum', values: ['ok', 'error'] }], [{ value: 'other' }]).map((x) => x.insert)).toEqual(['"error" ']);
  });
});

it('turns byte positions into indices', () => expect([indexOfByte('日本 =', 7), indexOfByte('a😀b', 5), indexOfByte('ab', 9)]).toEqual([3, 3, 2]));
