import { diffLines, type Line } from '@/shared/chat/edits';
import type { Change, Row } from './types';

/** What the list shows: steps, and in place of long runs of steps that did not change, how many there are. */
export type Item = { row: number } | { from: number; to: number };

const near = 1; // unchanged steps shown on each side of a changed one
const worth = 3; // a shorter run is shown

export const isChange = (r: Row): boolean => r.op !== 'same';

/** `opened` holds the first rows of runs that the reader unfolded. */
export function items(rows: readonly Row[], all: boolean, opened: ReadonlySet<number>): Item[] {
  const out: Item[] = [];
  for (let i = 0; i < rows.length; ) {
    if (all || isChange(rows[i]!)) {
      out.push({ row: i++ });
      continue;
    }
    let end = i;
    while (end < rows.length && !isChange(rows[end]!)) end++;
    const from = i + near; // the root, or the step after a change, stays as a landmark
    const to = end === rows.length ? end : end - near;
    const hide = to - from >= worth && !opened.has(from);
    for (; i < (hide ? from : end); i++) out.push({ row: i });
    if (!hide) continue;
    out.push({ from, to });
    for (i = to; i < end; i++) out.push({ row: i });
  }
  return out;
}

/** The next changed item after one, or before it; round the ends. -1: nothing changed. */
export function nextChange(list: readonly Item[], rows: readonly Row[], at: number, d: 1 | -1): number {
  for (let k = 1; k <= list.length; k++) {
    const i = (at + d * k + list.length * 2) % list.length;
    const x = list[i]!;
    if ('row' in x && isChange(rows[x.row]!)) return i;
  }
  return -1;
}

export type Word = [op: '=' | '+' | '-' | '…', text: string];

export function wordsOf(c: Change): Word[] | undefined {
  if (!c.words || c.words.length === 0) return undefined;
  return c.words.map((w) => w ?? []).map(([op = '=', text = '']) => [op === '+' || op === '-' || op === '…' ? op : '=', text]);
}

/** One side of a change: what was only on the other is left out. */
export function sideOf(words: readonly Word[], side: 'a' | 'b'): Word[] {
  return words.filter(([op]) => op !== (side === 'a' ? '+' : '-'));
}

const absent = (v: unknown) => v === undefined || v === null;

export function textOf(v: unknown): string {
  if (absent(v)) return '';
  return typeof v === 'string' ? v : JSON.stringify(v, null, 2);
}

/** Lines of a value without the commas at their ends, by which a line would differ only since another follows it. */
function plainLines(v: unknown): string {
  return typeof v === 'string' ? v : textOf(v).replace(/,$/gm, '');
}

/** Values that are neither one line nor prose are compared line by line. */
export function linesOf(c: Change): Line[] | undefined {
  const [a, b] = [plainLines(c.before), plainLines(c.after)];
  return a.includes('\n') || b.includes('\n') || a.length + b.length > 160 ? diffLines(a, b) : undefined;
}

/** Share by which a figure grew; undefined where there was nothing before. */
export function growth(before: number | undefined, delta: number): number | undefined {
  return before && before > 0 ? delta / before : undefined;
}

/** Changes of earlier rows that a row repeats, such as the same question in every call of a conversation. */
export function repeated(rows: readonly Row[]): ReadonlySet<Change> {
  const seen = new Set<string>();
  const out = new Set<Change>();
  for (const r of rows) {
    const own: string[] = [];
    for (const c of r.parts ?? []) {
      const key = JSON.stringify([c.what, c.op, c.before, c.after, c.words]);
      if (seen.has(key)) out.add(c);
      else own.push(key);
    }
    own.forEach((k) => seen.add(k)); // twice within one step is no repetition
  }
  return out;
}
