import { describe, expect, it } from 'vitest';
import { chosen, conjuncts, expectAt, indexOfByte, join, toggle } from './clauses';
import { pathAt, suggest, suggestPaths } from './suggest';

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

describe('paths', () => {
  const at = (s: string) => pathAt(expectAt(s, s.length));
  it('are wanted after the dot of a field that has them', () => expect([at('status = "ok" and metadata.ti'), at('attributes.'), at('model.x'), at('score.a = ')]).toEqual([{ field: 'metadata', prefix: 'ti' }, { field: 'attributes', prefix: '' }, undefined, undefined]));
  it('are offered whole, but for those that need quotes', () => expect(suggestPaths({ field: 'metadata', prefix: 'T' }, [{ path: 'tier', count: 4 }, { path: 'odd key', count: 3 }, { path: 'x', count: 2 }]).map((x) => x.insert)).toEqual(['metadata.tier ']));
  it('have the operators of their field', () => expect(suggest(expectAt('metadata.tier ', 14), [{ name: 'metadata', type: 'map', ops: ['=', 'exists'] }], []).map((x) => x.label)).toEqual(['=', 'exists']));
  it('lead on from the field', () => expect(suggest(expectAt('meta', 4), [{ name: 'metadata', type: 'map' }], []).map((x) => x.insert)).toEqual(['metadata.']));
});
it('offers ages for times', () => expect(suggest(expectAt('start > -', 9), [{ name: 'start', type: 'time' }], []).map((x) => x.label)).toContain('-1h'));
it('reads values after every operator', () => expect(['name ~ a', 'name !~ a', 'name contains a', 'name not rlike a'].map((f) => [expectAt(f, f.length).want, expectAt(f, f.length).field])).toEqual(Array(4).fill(['value', 'name'])));
it('turns byte positions into indices', () => expect([indexOfByte('日本 =', 7), indexOfByte('a😀b', 5), indexOfByte('ab', 9)]).toEqual([3, 3, 2]));
