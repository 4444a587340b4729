import { failed, type Columns } from './columns';

/** The spans of a trace as trees: children in order, and what each subtree adds up to. Indices point into the columns. */
export interface Forest {
  c: Columns;
  index: Map<string, number>;
  parent: Int32Array; // -1: a root
  roots: number[];
  kids: number[][];
  order: Int32Array; // each parent before its children
  steps: Uint32Array; // spans in the subtree, itself included
  errors: Uint32Array;
  cost: Float64Array;
  tokens: Float64Array;
  critical: Uint8Array; // 1: the trace would end earlier if this span did
  total: number; // ms from the first start to the last end
}

const none: readonly number[] = [];

export function forest(c: Columns): Forest {
  const index = new Map<string, number>();
  for (let i = 0; i < c.n; i++) if (!index.has(c.ids[i]!)) index.set(c.ids[i]!, i);
  const parent = parentsOf(c, index);
  const kids: number[][] = Array.from({ length: c.n }, () => none as number[]);
  const roots: number[] = [];
  const byStart = Int32Array.from({ length: c.n }, (_, i) => i).sort((a, b) => c.start[a]! - c.start[b]! || a - b);
  for (const i of byStart) {
    const p = parent[i]!;
    if (p < 0) roots.push(i);
    else if (kids[p] === none) kids[p] = [i];
    else kids[p]!.push(i);
  }
  const f: Forest = {
    c, index, parent, roots, kids, order: preorder(c.n, roots, kids),
    steps: new Uint32Array(c.n).fill(1), errors: new Uint32Array(c.n), cost: new Float64Array(c.n), tokens: new Float64Array(c.n), critical: new Uint8Array(c.n), total: 1,
  };
  rollUp(f);
  markCritical(f);
  return f;
}

/** An absent parent makes a root, and so does one that is a descendant: the line is cut where it closes. */
function parentsOf(c: Columns, index: Map<string, number>): Int32Array {
  const parent = Int32Array.from({ length: c.n }, (_, i) => (c.parents[i] ? (index.get(c.parents[i]!) ?? -1) : -1));
  const done = new Uint8Array(c.n); // 1: on the line being walked, 2: known to end at a root
  for (let i = 0; i < c.n; i++) {
    const line: number[] = [];
    let x = i;
    while (x >= 0 && done[x] === 0) {
      done[x] = 1;
      line.push(x);
      x = parent[x]!;
    }
    if (x >= 0 && done[x] === 1) parent[x] = -1;
    for (const y of line) done[y] = 2;
  }
  return parent;
}

function preorder(n: number, roots: number[], kids: number[][]): Int32Array {
  const out = new Int32Array(n);
  const stack = [...roots].reverse();
  let at = 0;
  while (stack.length > 0) {
    const i = stack.pop()!;
    out[at++] = i;
    const below = kids[i]!;
    for (let k = below.length - 1; k >= 0; k--) stack.push(below[k]!);
  }
  return out;
}

function rollUp(f: Forest): void {
  const { c } = f;
  for (let at = c.n - 1; at >= 0; at--) {
    const i = f.order[at]!;
    if (c.covered[i] === 0) {
      f.cost[i] = f.cost[i]! + c.cost[i]!;
      f.tokens[i] = f.tokens[i]! + c.tokens[i]!;
    }
    if (failed(c, i)) f.errors[i]!++;
    f.total = Math.max(f.total, c.start[i]! + c.took[i]!);
    const p = f.parent[i]!;
    if (p < 0) continue;
    f.steps[p] = f.steps[p]! + f.steps[i]!;
    f.errors[p] = f.errors[p]! + f.errors[i]!;
    f.cost[p] = f.cost[p]! + f.cost[i]!;
    f.tokens[p] = f.tokens[p]! + f.tokens[i]!;
  }
}

/** From the end of each span backwards: the child that ends last is waited for, then the one that ends before it starts. */
function markCritical(f: Forest): void {
  const { c } = f;
  const end = (i: number) => c.start[i]! + c.took[i]!;
  const last = f.roots.reduce((a, b) => (a < 0 || end(b) > end(a) ? b : a), -1);
  const stack = last < 0 ? [] : [last];
  while (stack.length > 0) {
    const i = stack.pop()!;
    f.critical[i] = 1;
    let before = end(i);
    for (const k of [...f.kids[i]!].sort((a, b) => end(b) - end(a))) {
      if (end(k) > before + 1e-6) continue;
      stack.push(k);
      before = c.start[k]!;
    }
  }
}

/** What is opened first: the first error that no descendant explains; else the first model call; else the root. */
export function opening(f: Forest): number {
  const { c } = f;
  let call = -1;
  for (const i of f.order) {
    if (failed(c, i) && f.errors[i] === 1) return i;
    if (call < 0 && c.kinds[i] === 'generation') call = i;
  }
  return call >= 0 ? call : (f.order[0] ?? -1);
}

/** The next failed span in the order of the tree, round the end; -1 if there is none. */
export function nextError(f: Forest, current: number): number {
  const from = f.order.indexOf(current);
  for (let k = 1; k <= f.c.n; k++) {
    const i = f.order[(from + k) % f.c.n]!;
    if (failed(f.c, i)) return i;
  }
  return -1;
}

export const sorts = ['start', 'errors', 'slow', 'cost'] as const;
export type Sort = (typeof sorts)[number];

/** The children of a span, or the roots, in the order asked for. Ties keep the order of start. */
export function ordered(f: Forest, list: readonly number[], sort: Sort): readonly number[] {
  if (sort === 'start' || list.length < 2) return list;
  const rank = sort === 'errors' ? (i: number) => (f.errors[i]! > 0 ? 1 : 0) : sort === 'slow' ? (i: number) => f.c.took[i]! : (i: number) => f.cost[i]!;
  return [...list].sort((a, b) => rank(b) - rank(a));
}
