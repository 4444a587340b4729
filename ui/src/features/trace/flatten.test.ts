import { expect, it } from 'vitest';
import { fieldOf, flatten } from './flatten';

it('makes lines of a tree, and keeps lists', () => {
  expect(flatten({ 'a.b': 1, c: { d: 'x', e: [1, 2] }, f: null })).toEqual([
    { path: 'a.b', value: 1, text: '1' },
    { path: 'c.d', value: 'x', text: 'x' },
    { path: 'c.e', value: [1, 2], text: '[1,2]' },
    { path: 'f', value: null, text: 'null' },
  ]);
});
it('tells what became a body', () => expect(flatten({ 'input.value': { $body: 'input' }, 'documents.': { $body: 'output', as: 'flat' } })).toMatchObject([{ path: 'input.value', body: 'input' }, { path: 'documents', body: 'output' }]));
it.each([null, undefined, 3, 'x', []])('has no lines for %j', (v) => expect(flatten(v)).toEqual([]));
it.each([['a.b-c/d', 'metadata.a.b-c/d'], ['a b', 'metadata.`a b`'], ['a`b', undefined]])('names %s in a filter', (path, want) => expect(fieldOf('metadata', path)).toBe(want));
