import { describe, expect, it } from 'vitest';
import type { Span } from '@/shared/api/types';
import { fromSpans, fromTree, type TreeAnswer } from './columns';
import { forest, nextError, opening } from './forest';
import { fold, stem } from './loops';
import { carry, foldAll, plan, reveal, rows, sums, type Plan, type Toggled } from './rows';

const span = (id: string, parent: string, at: number, took: number, more: Partial<Span> = {}): Span => ({ trace: 't', id, parent, name: id, kind: 'span', status: 'ok', start: new Date(at).toISOString(), duration_ms: took, ...more });
const of = (spans: Span[]) => forest(fromSpans(spans));
const shown = (p: Plan, toggled: Toggled = new Set()) => {
  const r = rows(p, toggled);
  return [...r.list].map((x, i) => (x < p.f.c.n ? p.f.c.ids[x]! : `×${p.loops[x - p.f.c.n]!.turns}`) + r.depth[i]);
};
const flat = (spans: Span[]) => shown(plan(of(spans), 'start', false));
const spans = [span('c', 'a', 30, 10), span('a', '', 0, 100), span('b', 'a', 10, 5), span('d', 'c', 31, 2, { status: 'error' })];

describe('the tree', () => {
  it('orders by start, below the parent', () => expect(flat(spans)).toEqual(['a0', 'b1', 'c1', 'd2']));
  it('hides what is folded', () => expect(shown(plan(of(spans), 'start', false), new Set([0]))).toEqual(['a0', 'b1', 'c1']));
  it('shows spans whose parent is absent', () => expect(flat([span('x', 'gone', 0, 1)])).toEqual(['x0']));
  it('shows spans that are each other’s parents, once', () => expect(flat([span('x', 'y', 0, 1), span('y', 'x', 1, 1)])).toHaveLength(2));
  it('shows a span that is its own parent', () => expect(flat([span('x', 'x', 0, 1)])).toEqual(['x0']));
  it('shows both of two spans with one id', () => expect(flat([span('x', '', 0, 1), span('x', '', 1, 1)])).toEqual(['x0', 'x0']));
  it('spans the whole time', () => expect(of([span('a', '', 0, 10), span('b', 'a', 5, 40)]).total).toBe(45));
  it('is empty without spans', () => expect([flat([]), opening(of([]))]).toEqual([[], -1]));
  it('holds a chain of any depth', () => expect(flat(Array.from({ length: 20_000 }, (_, i) => span(`s${i}`, i > 0 ? `s${i - 1}` : '', i, 1)))).toHaveLength(20_000));
});

it('opens the deepest error first', () => {
  const id = (list: Span[]) => list[opening(of(list))]!.id;
  expect(id([span('a', '', 0, 9, { status: 'error' }), span('b', 'a', 1, 2, { kind: 'generation' }), span('c', 'a', 2, 2, { status: 'error' })])).toBe('c');
  expect(id([span('a', '', 0, 9), span('b', 'a', 1, 2, { kind: 'generation' })])).toBe('b');
});
it('goes round the errors', () => {
  const f = of(spans);
  const next = (id: string) => f.c.ids[nextError(f, f.index.get(id)!)];
  expect([next('a'), next('d'), nextError(of([spans[1]!]), 0)]).toEqual(['d', 'd', -1]);
});

it('adds up subtrees, leaving out what another span accounts for', () => {
  const usage = { input: 10, output: 5 };
  const f = of([span('a', '', 0, 9), span('b', 'a', 1, 2, { cost_usd: 1, usage, covered: true }), span('c', 'b', 1, 2, { cost_usd: 1, usage }), span('d', 'a', 4, 2, { cost_usd: 0.5, usage, status: 'error' })]);
  expect([f.cost[0], f.tokens[0], f.steps[0], f.errors[0], f.cost[1]]).toEqual([1.5, 30, 4, 1, 1]);
});
it('sorts errors first, at each level', () => {
  const f = of([span('a', '', 0, 9), span('b', 'a', 1, 2), span('c', 'a', 2, 2), span('d', 'c', 2, 1, { status: 'error' })]);
  expect(shown(plan(f, 'errors', false))).toEqual(['a0', 'c1', 'd2', 'b1']);
});
it('marks what the end waits for', () => {
  const f = of([span('a', '', 0, 100), span('slow', 'a', 0, 60), span('fast', 'a', 0, 20), span('then', 'a', 60, 40)]);
  expect([...f.critical]).toEqual([1, 1, 0, 1]);
});

describe('loops', () => {
  const turn = (i: number): Span[] => [span(`m${i}`, 'a', i * 10, 4, { kind: 'generation', name: 'plan', cost_usd: 1 }), span(`t${i}`, 'a', i * 10 + 5, 4, { kind: 'tool', name: `run ${i}` })];
  const many = [span('a', '', 0, 999), span('z', 'a', 0, 1), ...Array.from({ length: 37 }, (_, i) => turn(i + 1)).flat(), span('end', 'a', 990, 1)];
  const p = plan(of(many), 'start', true);

  it('folds turns of several steps', () => expect(shown(p)).toEqual(['a0', 'z1', '×371', 'end1']));
  it('adds them up', () => expect(sums(p, p.f.c.n)).toMatchObject({ name: 'plan → run 1', steps: 74, cost: 37, start: 10, took: 369 }));
  it('unfolds', () => expect(shown(p, new Set([p.f.c.n]))).toHaveLength(4 + 74));
  it('unfolds for a span inside', () => {
    const seen = reveal(p, p.f.index.get('t20')!, new Set([0]));
    expect(shown(p, seen)).toContain('t202');
    expect(reveal(p, 0, seen)).toBe(seen);
  });
  it('leaves few repetitions alone', () => expect(fold([1, 2, 3], () => 1)).toEqual([1, 2, 3]));
  it('prefers the shortest turn', () => expect(fold([1, 2, 3, 4, 5, 6, 7, 8], () => 1)).toMatchObject([{ period: 1, turns: 8 }]));
  it('keeps steps of other children apart', () => {
    const list = [span('a', '', 0, 99), ...Array.from({ length: 6 }, (_, i) => span(`s${i}`, 'a', i, 1, { name: 'step' })), span('x', 's3', 3, 1)];
    expect(shown(plan(of(list), 'start', true))).toEqual(['a0', 's01', 's11', 's21', 's31', 'x2', 's41', 's51']);
  });
  it('keeps failed turns apart when errors go first', () => {
    const list = [span('a', '', 0, 99), ...Array.from({ length: 12 }, (_, i) => span(`s${i}`, 'a', i, 1, { name: 'step', status: i % 4 === 0 ? 'error' : 'ok' }))];
    expect(shown(plan(of(list), 'errors', true))).toEqual(['a0', 's01', 's41', 's81', '×91']);
  });
  it.each([['step 12', 'step #'], ['run', 'run'], ['call 4f1b9e0c7d2a', 'call #'], ['gpt-4', 'gpt-#']])('%s is named %s', (a, b) => expect(stem(a)).toBe(b));
});

it('keeps folds when the trace grows', () => {
  const some = [span('a', '', 0, 99), span('x', 'a', 0, 1), span('y', 'x', 0, 1), ...Array.from({ length: 6 }, (_, i) => span(`s${i}`, 'a', i + 10, 1, { name: 'step' }))];
  const before = plan(of(some), 'start', true);
  const after = plan(of([span('new', '', 0, 1), ...some, span('s6', 'a', 20, 1, { name: 'step' })]), 'start', true);
  const kept = carry(before, after, new Set([before.f.index.get('x')!, before.f.c.n]));
  expect(shown(after, kept)).toEqual(['new0', 'a0', 'x1', '×71', ...[0, 1, 2, 3, 4, 5, 6].map((i) => `s${i}2`)]);
  expect([...carry(after, before, new Set([after.f.index.get('new')!]))]).toEqual([]);
});
it('folds all but the roots’ own steps', () => expect(shown(plan(of(spans), 'start', false), foldAll(plan(of(spans), 'start', false)))).toEqual(['a0', 'b1', 'c1']));

it('reads columns over pages, and those that are left out', () => {
  const page = (ids: string[], starts: number[]): TreeAnswer => ({ trace: 't', total: 2, start: new Date(1000).toISOString(), items: { ids, parents: ids.map(() => ''), names: ids, kinds: ids.map(() => 'tool'), statuses: ids.map(() => 'ok'), starts_ms: starts, durations_ms: [1], costs_usd: [0], tokens: null, models: [''], errors: [true], covered: [true] } });
  const c = fromTree([page(['a'], [0]), page(['b'], [5])]);
  expect([c.n, c.at, [...c.start], [...c.tokens], c.errors, [...c.covered]]).toEqual([2, 1000, [0, 5], [0, 0], ['', ''], [1, 1]]);
});

it('arranges 50k spans at once', () => {
  const list = Array.from({ length: 50_000 }, (_, i) => span(`s${i}`, i === 0 ? '' : `s${Math.floor((i - 1) / 40)}`, i, 5, { name: `step ${i % 7}`, kind: i % 3 ? 'tool' : 'generation', status: i % 997 ? 'ok' : 'error' }));
  const c = fromSpans(list);
  const t0 = performance.now();
  const p = plan(forest(c), 'start', true);
  rows(p, new Set());
  expect(performance.now() - t0).toBeLessThan(2000); // far above what it takes, for machines under load
});
