import { expect, it } from 'vitest';
import type { Span } from '@/shared/api/types';
import { first, nextError, tree } from './tree';

const span = (id: string, parent: string, at: number, took: number, more: Partial<Span> = {}): Span => ({ trace: 't', id, parent, name: id, kind: 'span', status: 'ok', start: new Date(at).toISOString(), duration_ms: took, ...more });
const ids = (spans: Span[], closed?: string[]) => tree(spans, new Set(closed)).rows.map((r) => r.span.id + r.depth);

const spans = [span('c', 'a', 30, 10), span('a', '', 0, 100), span('b', 'a', 10, 5), span('d', 'c', 31, 2, { status: 'error' })];

it('orders by start, below the parent', () => expect(ids(spans)).toEqual(['a0', 'b1', 'c1', 'd2']));
it('hides what is folded', () => expect(ids(spans, ['c'])).toEqual(['a0', 'b1', 'c1']));
it('shows spans whose parent is absent', () => expect(ids([span('x', 'gone', 0, 1)])).toEqual(['x0']));
it('shows spans that are each other’s parents, once', () => expect(ids([span('x', 'y', 0, 1), span('y', 'x', 1, 1)]).length).toBe(2));
it('opens the deepest error first', () => {
  const failed = [span('a', '', 0, 9, { status: 'error' }), span('b', 'a', 1, 2, { kind: 'generation' }), span('c', 'a', 2, 2, { status: 'error' })];
  expect(first(tree(failed).rows)).toBe('c');
  expect(first(tree([span('a', '', 0, 9), span('b', 'a', 1, 2, { kind: 'generation' })]).rows)).toBe('b');
});
it('goes round the errors', () => expect([nextError(tree(spans).rows, 'a'), nextError(tree(spans).rows, 'd'), nextError(tree([spans[1]!]).rows, 'a')]).toEqual(['d', 'd', undefined]));
it('spans the whole time', () => expect(tree([span('a', '', 0, 10), span('b', 'a', 5, 40)]).total).toBe(45));
