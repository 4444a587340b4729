import type { Forest } from './forest';

/** A run of sibling steps that repeat: one row until it is unfolded. */
export interface Loop {
  members: readonly number[];
  period: number; // steps of one turn
  turns: number;
}

const longest = 6; // steps of one turn that are looked for

/** Single steps must repeat more often than turns of several before a row hides them. */
const enough = (period: number): number => (period === 1 ? 5 : 4);

/**
 * A number for the shape of each subtree: two spans have the same if they are of the same kind and name and have
 * children of the same shapes, however many. Digits in names do not count, since loops number their turns.
 */
export function shapes(f: Forest): Int32Array {
  const known = new Map<string, number>();
  const out = new Int32Array(f.c.n);
  for (let at = f.c.n - 1; at >= 0; at--) {
    const i = f.order[at]!;
    const below = f.kids[i]!;
    const kinds = below.length === 0 ? '' : [...new Set(below.map((k) => out[k]!))].sort((a, b) => a - b).slice(0, 12).join();
    const key = `${f.c.kinds[i]}|${stem(f.c.names[i]!)}|${kinds}`;
    let n = known.get(key);
    if (n === undefined) known.set(key, (n = known.size));
    out[i] = n;
  }
  return out;
}

/** A name without what numbers it: "step 12" and "step 13" are the same step. */
export function stem(name: string): string {
  return /\d/.test(name) ? name.replace(/\b[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b|\d+/gi, '#') : name;
}

/** Siblings with their runs folded: single steps as they are, and runs as loops. */
export function fold(list: readonly number[], shape: (i: number) => number): (number | Loop)[] {
  const out: (number | Loop)[] = [];
  let at = 0;
  while (at < list.length) {
    const run = runAt(list, at, shape);
    if (!run) {
      out.push(list[at++]!);
      continue;
    }
    const size = run.period * run.turns;
    out.push({ members: list.slice(at, at + size), ...run });
    at += size;
  }
  return out;
}

/** The run that begins here and takes in most steps; the shorter turn if several take in as many. */
function runAt(list: readonly number[], at: number, shape: (i: number) => number): { period: number; turns: number } | undefined {
  let best: { period: number; turns: number } | undefined;
  for (let p = 1; p <= longest && at + p * enough(p) <= list.length; p++) {
    let end = at + p;
    while (end < list.length && shape(list[end]!) === shape(list[end - p]!)) end++;
    const turns = Math.floor((end - at) / p);
    if (turns >= enough(p) && turns * p > (best ? best.turns * best.period : 0)) best = { period: p, turns };
  }
  return best;
}
