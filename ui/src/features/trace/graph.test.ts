import { describe, expect, it } from 'vitest';
import type { Span } from '@/shared/api/types';
import { fromSpans } from './columns';
import { forest } from './forest';
import { graph } from './graph';
import { curve, layout, node } from './layout';

const span = (id: string, parent: string, at: number, took: number, name: string, more: Partial<Span> = {}): Span => ({ trace: 't', id, parent, name, kind: 'tool', status: 'ok', start: new Date(at).toISOString(), duration_ms: took, ...more });
const of = (spans: Span[]) => graph(forest(fromSpans(spans)));
const shown = (g: ReturnType<typeof graph>) => g.edges.map((e) => `${g.steps[e.from]!.name}${e.call ? '-->' : '->'}${g.steps[e.to]!.name}×${e.count}`).sort();

const agent = [
  span('a', '', 0, 100, 'agent', { kind: 'agent' }),
  ...[0, 1, 2].flatMap((i) => [span(`m${i}`, 'a', i * 20, 8, 'plan', { kind: 'generation', cost_usd: 1, usage: { input: 10 } }), span(`t${i}`, 'a', i * 20 + 10, 8, 'run', { status: i === 1 ? 'error' : 'ok' })]),
];

describe('the graph', () => {
  const g = of(agent);
  it('has a node for each kind of step', () => expect(g.steps.map((s) => [s.name, s.spans.length, s.errors, s.cost, s.tokens])).toEqual([['agent', 1, 0, 0, 0], ['plan', 3, 0, 3, 30], ['run', 3, 1, 0, 0]]));
  it('counts which follows which', () => expect(shown(g)).toEqual(['agent-->plan×1', 'plan->run×3', 'run->plan×2']));
  it('lets a step call all that run at once', () => expect(shown(of([span('a', '', 0, 100, 'agent'), span('x', 'a', 0, 50, 'x'), span('y', 'a', 10, 50, 'y'), span('z', 'a', 70, 5, 'z')]))).toEqual(['agent-->x×1', 'agent-->y×1', 'y->z×1']));
  it('takes numbered steps for one', () => expect(of([span('a', '', 0, 9, 'step 1'), span('b', '', 20, 9, 'step 2')]).steps).toHaveLength(1));
  it('joins what is too much to read', () => {
    const many = of(Array.from({ length: 200 }, (_, i) => span(`s${i}`, '', i * 10, 5, 'x'.repeat(i + 1))));
    expect(many.steps.length).toBeLessThan(45);
    expect(many.steps.reduce((n, s) => n + s.spans.length, 0)).toBe(200);
  });
  it('leaves out what is counted elsewhere', () => expect(of([span('a', '', 0, 1, 'a', { cost_usd: 2, covered: true })]).steps[0]!.cost).toBe(0));
});

describe('its layout', () => {
  const g = of(agent);
  const l = layout(g);
  it('puts what follows below', () => expect(l.nodes[0]!.y < l.nodes[1]!.y && l.nodes[1]!.y < l.nodes[2]!.y).toBe(true));
  it('draws ways back upwards', () => {
    const back = l.paths.find((p) => p.back)!;
    expect([g.steps[back.edge.from]!.name, g.steps[back.edge.to]!.name]).toEqual(['run', 'plan']);
    expect(back.points[0]![1]).toBeGreaterThan(back.points.at(-1)![1]);
  });
  it('keeps all inside', () => {
    for (const n of l.nodes) expect(n.x >= 0 && n.x + node.w <= l.width && n.y >= 0 && n.y + node.h <= l.height).toBe(true);
  });
  it('never lays one node on another', () => {
    const big = layout(of(Array.from({ length: 60 }, (_, i) => span(`s${i}`, i > 0 ? `s${i >> 1}` : '', i * 3, 2, String.fromCharCode(97 + (i % 26)) + (i > 25 ? 'x' : '')))));
    big.nodes.forEach((a, i) => big.nodes.forEach((b, k) => i < k && expect(Math.abs(a.x - b.x) >= node.w || Math.abs(a.y - b.y) >= node.h).toBe(true)));
  });
  it('bends lines vertically at each point', () => expect(curve([[0, 0], [10, 20]])).toBe('M0.0 0.0C0.0 10.0 10.0 10.0 10.0 20.0'));
  it('is empty for nothing', () => expect(layout({ steps: [], edges: [], stepOf: new Int32Array(0) }).nodes).toEqual([]));
});
