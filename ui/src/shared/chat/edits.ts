import { isObj } from './normalize';

/** What a tool call does to a file, where its arguments look like it. */
export interface Edit {
  path: string;
  hunks: { before: string; after: string }[];
  created: boolean; // the whole new content, the old one is not known
}

const str = (v: unknown): string | undefined => (typeof v === 'string' ? v : undefined);

export function editOf(name: string, args: unknown): Edit | undefined {
  if (!isObj(args)) return undefined;
  const path = str(args.file_path) ?? str(args.path) ?? str(args.absolutePath) ?? str(args.filename);
  if (path === undefined) return undefined;
  const hunks = pairs(args);
  if (hunks.length > 0) return { path, hunks, created: false };
  const whole = str(args.content) ?? str(args.file_text) ?? str(args.new_content) ?? str(args.contents);
  if (whole !== undefined && /write|create|save|new_file|str_replace_based_edit|edit/i.test(name)) {
    return { path, hunks: [{ before: '', after: whole }], created: true };
  }
  return undefined;
}

function pairs(args: Record<string, unknown>): { before: string; after: string }[] {
  const lists = Array.isArray(args.edits) ? args.edits.filter(isObj) : [args];
  const out: { before: string; after: string }[] = [];
  for (const e of lists) {
    const before = str(e.old_string) ?? str(e.old_str) ?? str(e.oldText);
    const after = str(e.new_string) ?? str(e.new_str) ?? str(e.newText);
    if (before !== undefined && after !== undefined) out.push({ before, after });
  }
  const diff = str(args.diff);
  return out.length === 0 && diff !== undefined ? searchReplace(diff) : out;
}

/** Cline's SEARCH/REPLACE blocks. */
export function searchReplace(diff: string): { before: string; after: string }[] {
  const block = /^(?:<{7}|-{7,}) ?SEARCH>?\n([\s\S]*?)^={7}\n([\s\S]*?)^(?:>{7}|\+{7,}) ?REPLACE>?$/gm;
  return [...diff.matchAll(block)].map((m) => ({ before: trimEnd(m[1]!), after: trimEnd(m[2]!) }));
}

const trimEnd = (s: string) => s.replace(/\n$/, '');

export interface Line {
  mark: ' ' | '+' | '-';
  text: string;
}

const tooLong = 1500;

/** Line diff by longest common subsequence; very long inputs are shown as all old, then all new. */
export function diffLines(before: string, after: string): Line[] {
  const a = before === '' ? [] : before.split('\n');
  const b = after === '' ? [] : after.split('\n');
  if (a.length === 0 || b.length === 0 || a.length > tooLong || b.length > tooLong) {
    return [...a.map((text): Line => ({ mark: '-', text })), ...b.map((text): Line => ({ mark: '+', text }))];
  }
  return walk(a, b, lcs(a, b));
}

function lcs(a: string[], b: string[]): Uint16Array[] {
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      table[i]![j] = a[i] === b[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!);
  return table;
}

function walk(a: string[], b: string[], t: Uint16Array[]): Line[] {
  const out: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push({ mark: ' ', text: a[i]! });
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || t[i + 1]![j]! >= t[i]![j + 1]!)) out.push({ mark: '-', text: a[i++]! });
    else out.push({ mark: '+', text: b[j++]! });
  }
  return out;
}
