import type { Edge, Graph } from './graph';

/** Places in px: a node each for the steps, and for each edge the points it goes through. */
export interface Layout {
  width: number;
  height: number;
  nodes: { x: number; y: number }[]; // left upper corners
  paths: { edge: Edge; points: [number, number][]; back: boolean }[];
}

export const node = { w: 190, h: 46 } as const;
const gap = { x: 26, y: 44, bend: 14 } as const;

interface Item {
  step: number; // -1: a bend of an edge that passes this layer
  pos: number;
  up: Item[];
  down: Item[];
}

interface Link {
  edge: Edge;
  back: boolean;
  chain: Item[];
}

/** Layers from top to bottom, in which every edge goes down but those that close a circle. */
export function layout(g: Graph): Layout {
  const n = g.steps.length;
  const back = circles(n, g.edges);
  const layer = layers(n, g.edges, back);
  const items: Item[] = Array.from({ length: n }, (_, step) => ({ step, pos: 0, up: [], down: [] }));
  const grid: Item[][] = Array.from({ length: Math.max(0, ...layer) + 1 }, () => []);
  items.forEach((x, i) => grid[layer[i]!]!.push(x));
  const links = g.edges.map((edge, k) => link(edge, back.has(k), items, layer, grid));
  untangle(grid);
  return place(grid, items, links, layer);
}

/** Edges that lead back to a step the walk is still in. */
function circles(n: number, edges: Edge[]): Set<number> {
  const out: number[][] = Array.from({ length: n }, () => []);
  edges.forEach((e, k) => out[e.from]!.push(k));
  const state = new Uint8Array(n);
  const back = new Set<number>();
  const visit = (i: number) => {
    state[i] = 1;
    for (const k of out[i]!) {
      const to = edges[k]!.to;
      if (state[to] === 1) back.add(k);
      else if (state[to] === 0) visit(to);
    }
    state[i] = 2;
  };
  for (let i = 0; i < n; i++) if (state[i] === 0) visit(i);
  return back;
}

function layers(n: number, edges: Edge[], back: Set<number>): number[] {
  const layer = new Array<number>(n).fill(0);
  const down = edges.map((e, k) => (back.has(k) ? { from: e.to, to: e.from } : e)).filter((e) => e.from !== e.to);
  for (let round = 0, moved = true; moved && round <= n; round++) {
    moved = false;
    for (const e of down)
      if (layer[e.to]! <= layer[e.from]!) {
        layer[e.to] = layer[e.from]! + 1;
        moved = true;
      }
  }
  return layer;
}

function link(edge: Edge, back: boolean, items: Item[], layer: number[], grid: Item[][]): Link {
  const [a, b] = back ? [edge.to, edge.from] : [edge.from, edge.to];
  const chain = [items[a]!];
  for (let l = layer[a]! + 1; l < layer[b]!; l++) {
    const bend: Item = { step: -1, pos: 0, up: [], down: [] };
    grid[l]!.push(bend);
    chain.push(bend);
  }
  chain.push(items[b]!);
  for (let i = 1; i < chain.length; i++) {
    chain[i]!.up.push(chain[i - 1]!);
    chain[i - 1]!.down.push(chain[i]!);
  }
  return { edge, back, chain };
}

/** Each layer in the order of the middle of what it hangs on, some times down and up. */
function untangle(grid: Item[][]): void {
  const number = (layer: Item[]) => layer.forEach((x, i) => (x.pos = i));
  const sort = (layer: Item[], of: (x: Item) => Item[]) => {
    const middle = new Map(layer.map((x) => [x, of(x).length > 0 ? of(x).reduce((n, y) => n + y.pos, 0) / of(x).length : x.pos]));
    layer.sort((a, b) => middle.get(a)! - middle.get(b)!);
    number(layer);
  };
  grid.forEach(number);
  for (let k = 0; k < 6; k++) {
    for (let l = 1; l < grid.length; l++) sort(grid[l]!, (x) => x.up);
    for (let l = grid.length - 2; l >= 0; l--) sort(grid[l]!, (x) => x.down);
  }
}

const wide = (x: Item) => (x.step < 0 ? gap.bend : node.w);

function place(grid: Item[][], items: Item[], links: Link[], layer: number[]): Layout {
  const span = (l: Item[]) => l.reduce((n, x) => n + wide(x), 0) + gap.x * Math.max(0, l.length - 1);
  const width = Math.max(node.w, ...grid.map(span)) + 2 * gap.x;
  const centre = new Map<Item, number>();
  for (const l of grid) {
    let x = (width - span(l)) / 2;
    for (const i of l) {
      centre.set(i, x + wide(i) / 2);
      x += wide(i) + gap.x;
    }
  }
  const y = (l: number) => gap.x / 2 + l * (node.h + gap.y);
  const nodes = items.map((x, i) => ({ x: centre.get(x)! - node.w / 2, y: y(layer[i]!) }));
  const paths = links.map(({ edge, back, chain }) => {
    const top = layer[back ? edge.to : edge.from]!;
    const points = chain.map((x, i): [number, number] => [centre.get(x)! + side(back, x), y(top + i) + (i === 0 ? node.h : i === chain.length - 1 ? 0 : node.h / 2)]);
    return { edge, back, points: back ? points.reverse() : points };
  });
  return { width, height: y(grid.length - 1) + node.h + gap.x / 2, nodes, paths };
}

/** Ways back stand beside the ways there. */
const side = (back: boolean, x: Item) => (x.step < 0 ? 0 : back ? node.w / 4 : -node.w / 12);

/** A smooth line through points, each of which it passes vertically. */
export function curve(points: readonly [number, number][]): string {
  return points
    .map(([x, y], i) => {
      if (i === 0) return `M${x.toFixed(1)} ${y.toFixed(1)}`;
      const [px, py] = points[i - 1]!;
      const m = ((py + y) / 2).toFixed(1);
      return `C${px.toFixed(1)} ${m} ${x.toFixed(1)} ${m} ${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}
