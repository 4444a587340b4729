import { failed } from './columns';
import type { Forest } from './forest';
import { stem } from './loops';

/** Steps of the same kind and name as one node; edges are which follows which, and how often. */
export interface Step {
  key: string;
  kind: string;
  name: string;
  spans: number[];
  errors: number;
  took: number;
  cost: number;
  tokens: number;
}

export interface Edge {
  from: number;
  to: number;
  count: number;
  call: boolean; // a step calls the other; else one follows the other
}

export interface Graph {
  steps: Step[];
  edges: Edge[];
  stepOf: Int32Array; // of each span
}

const most = 36; // nodes that can still be read; the rest is one node of its kind

export function graph(f: Forest): Graph {
  const steps: Step[] = [];
  const known = new Map<string, number>();
  const kept = keep(f);
  const stepOf = new Int32Array(f.c.n);
  for (const i of f.order) {
    const k = keyOf(f, i);
    const key = kept.has(k) ? k : `${f.c.kinds[i]}|…`;
    let at = known.get(key);
    if (at === undefined) {
      known.set(key, (at = steps.length));
      steps.push({ key, kind: f.c.kinds[i]!, name: kept.has(k) ? f.c.names[i]! || f.c.kinds[i]! : '…', spans: [], errors: 0, took: 0, cost: 0, tokens: 0 });
    }
    stepOf[i] = at;
    add(f, steps[at]!, i);
  }
  return { steps, edges: edges(f, stepOf), stepOf };
}

const keyOf = (f: Forest, i: number) => `${f.c.kinds[i]}|${stem(f.c.names[i]!)}`;

function keep(f: Forest): Set<string> {
  const counts = new Map<string, number>();
  for (const i of f.order) counts.set(keyOf(f, i), (counts.get(keyOf(f, i)) ?? 0) + 1);
  return new Set([...counts].sort((a, b) => b[1] - a[1]).slice(0, most).map(([k]) => k));
}

function add(f: Forest, s: Step, i: number): void {
  s.spans.push(i);
  s.took += f.c.took[i]!;
  if (failed(f.c, i)) s.errors++;
  if (f.c.covered[i] === 1) return;
  s.cost += f.c.cost[i]!;
  s.tokens += f.c.tokens[i]!;
}

/** A step calls its first child and all that start while another still runs; of the rest each follows the one before. */
function edges(f: Forest, stepOf: Int32Array): Edge[] {
  const found = new Map<string, Edge>();
  const join = (a: number, b: number, call: boolean) => {
    const [from, to] = [stepOf[a]!, stepOf[b]!];
    if (from === to) return;
    const key = `${from}>${to}`;
    const e = found.get(key);
    if (e) {
      e.count++;
      e.call &&= call;
    } else found.set(key, { from, to, count: 1, call });
  };
  const chain = (list: readonly number[], parent: number) => {
    let before = -1;
    let end = -Infinity;
    for (const i of list) {
      const start = f.c.start[i]!;
      if (before >= 0 && start >= end - 1) join(before, i, false);
      else if (parent >= 0) join(parent, i, true);
      if (start + f.c.took[i]! >= end) [before, end] = [i, start + f.c.took[i]!];
    }
  };
  chain(f.roots, -1);
  for (const i of f.order) if (f.kids[i]!.length > 0) chain(f.kids[i]!, i);
  return [...found.values()];
}
