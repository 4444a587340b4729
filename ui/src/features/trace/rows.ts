import { ordered, type Forest, type Sort } from './forest';
import { fold, shapes, type Loop } from './loops';

/** The forest arranged for showing: sorted, with repeated steps in loops. A row is a span's index, or n + a loop's number. */
export interface Plan {
  f: Forest;
  top: Int32Array; // the rows below no other
  below: Map<number, Int32Array>; // rows below a span or a loop
  loops: Loop[];
  loopOf: Int32Array; // the loop a span is a member of, -1 if none
}

export function plan(f: Forest, sort: Sort, folding: boolean): Plan {
  const n = f.c.n;
  const p: Plan = { f, top: new Int32Array(0), below: new Map(), loops: [], loopOf: new Int32Array(n).fill(-1) };
  const shape = folding ? shapes(f) : undefined;
  const key = (i: number) => shape![i]! * 2 + (sort === 'errors' && f.errors[i]! > 0 ? 1 : 0);
  const arrange = (list: readonly number[]): Int32Array => {
    const sorted = ordered(f, list, sort);
    if (!shape) return Int32Array.from(sorted);
    return Int32Array.from(fold(sorted, key), (x) => (typeof x === 'number' ? x : addLoop(p, x)));
  };
  p.top = arrange(f.roots);
  for (let i = 0; i < n; i++) if (f.kids[i]!.length > 0) p.below.set(i, arrange(f.kids[i]!));
  return p;
}

function addLoop(p: Plan, loop: Loop): number {
  const g = p.loops.length;
  p.loops.push(loop);
  for (const m of loop.members) p.loopOf[m] = g;
  const row = p.f.c.n + g;
  p.below.set(row, Int32Array.from(loop.members));
  return row;
}

/** What the reader has folded and unfolded: spans are open and loops are closed unless they stand here. */
export type Toggled = ReadonlySet<number>;

export const isOpen = (p: Plan, row: number, toggled: Toggled): boolean => toggled.has(row) === row >= p.f.c.n;

/** The rows to show, from top to bottom. */
export interface Rows {
  list: Int32Array;
  depth: Uint16Array;
  at: Map<number, number>; // where a row stands
}

export function rows(p: Plan, toggled: Toggled): Rows {
  const list: number[] = [];
  const depth: number[] = [];
  const stack: [row: number, depth: number][] = [];
  const push = (below: Int32Array, d: number) => {
    for (let k = below.length - 1; k >= 0; k--) stack.push([below[k]!, d]);
  };
  push(p.top, 0);
  while (stack.length > 0) {
    const [row, d] = stack.pop()!;
    list.push(row);
    depth.push(d);
    const below = p.below.get(row);
    if (below && isOpen(p, row, toggled)) push(below, d + 1);
  }
  return { list: Int32Array.from(list), depth: Uint16Array.from(depth), at: new Map(list.map((r, i) => [r, i])) };
}

/** The folds that must change for a span to be seen. */
export function reveal(p: Plan, span: number, toggled: Toggled): Toggled {
  const next = new Set(toggled);
  let i = span;
  while (i >= 0) {
    const g = p.loopOf[i]!;
    if (g >= 0) next.add(p.f.c.n + g);
    i = p.f.parent[i]!;
    if (i >= 0) next.delete(i);
  }
  return next.size === toggled.size && [...next].every((x) => toggled.has(x)) ? toggled : next;
}

/** The same folds for a plan made anew: the trace grew, or is ordered otherwise, so that rows have other numbers. */
export function carry(from: Plan, to: Plan, toggled: Toggled): Toggled {
  const out = new Set<number>();
  for (const row of toggled) {
    const loop = row >= from.f.c.n;
    const span = loop ? from.loops[row - from.f.c.n]!.members[0]! : row;
    const i = to.f.index.get(from.f.c.ids[span]!);
    if (i === undefined) continue;
    if (!loop) out.add(i);
    else if (to.loopOf[i]! >= 0) out.add(to.f.c.n + to.loopOf[i]!);
  }
  return out;
}

/** Everything folded: below each root only its own steps. */
export function foldAll(p: Plan): Toggled {
  const top = new Set([...p.top]);
  return new Set([...p.below.keys()].filter((r) => r < p.f.c.n && !top.has(r)));
}

export interface Sums {
  name: string;
  kind: string;
  start: number;
  took: number;
  steps: number;
  errors: number;
  cost: number;
  tokens: number;
}

/** What a row says: a span with its subtree, or a loop with all its turns. */
export function sums(p: Plan, row: number): Sums {
  const { f } = p;
  const { c } = f;
  if (row < c.n) return { name: c.names[row]!, kind: c.kinds[row]!, start: c.start[row]!, took: c.took[row]!, steps: f.steps[row]!, errors: f.errors[row]!, cost: f.cost[row]!, tokens: f.tokens[row]! };
  const { members, period } = p.loops[row - c.n]!;
  const out: Sums = { name: turnName(c.names, members.slice(0, period)), kind: c.kinds[members[0]!]!, start: Infinity, took: 0, steps: 0, errors: 0, cost: 0, tokens: 0 };
  let end = 0;
  for (const m of members) {
    out.start = Math.min(out.start, c.start[m]!);
    end = Math.max(end, c.start[m]! + c.took[m]!);
    out.steps += f.steps[m]!;
    out.errors += f.errors[m]!;
    out.cost += f.cost[m]!;
    out.tokens += f.tokens[m]!;
  }
  out.took = end - out.start;
  return out;
}

function turnName(names: readonly string[], turn: readonly number[]): string {
  return turn.map((i) => names[i]!).join(' → ');
}

/** The time of a row with a little air on both sides, in ms. */
export function around(p: Plan, row: number): { from: number; to: number } {
  const x = sums(p, row);
  const air = Math.max(x.took * 0.05, p.f.total * 1e-5);
  return { from: Math.max(0, x.start - air), to: Math.min(p.f.total, x.start + x.took + air) };
}
