/**
 * Small operations on the server's filter language (field op value, joined by and / or / not, words): splitting at
 * top-level "and", reading and toggling simple clauses. The server alone decides what a filter means.
 */
export interface Token {
  kind: 'word' | 'string' | 'op' | 'open' | 'close' | 'comma';
  text: string;
  at: number;
  end: number;
}

const lexeme = /\s*(?:("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|`(?:[^`\\]|\\.)*`?)|(!=|!~|>=|<=|=|<|>|~)|(\()|(\))|(,)|([^\s()=<>!~,"'`]+|!))/gy;

export function tokens(s: string): Token[] {
  const out: Token[] = [];
  lexeme.lastIndex = 0;
  for (let m = lexeme.exec(s); m; m = lexeme.exec(s)) {
    const text = m[0].trimStart();
    const end = m.index + m[0].length;
    const kind = m[1] ? 'string' : m[2] ? 'op' : m[3] ? 'open' : m[4] ? 'close' : m[5] ? 'comma' : 'word';
    out.push({ kind, text, at: end - text.length, end });
  }
  return out;
}

const is = (t: Token | undefined, word: string) => t?.kind === 'word' && t.text.toLowerCase() === word;

/** The conjuncts of a filter. One that has a top-level "or" is a single conjunct. */
export function conjuncts(filter: string): string[] {
  const ts = tokens(filter);
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (const t of ts) {
    if (t.kind === 'open') depth++;
    if (t.kind === 'close') depth--;
    if (depth === 0 && is(t, 'or')) return [filter.trim()];
    if (depth === 0 && is(t, 'and')) {
      parts.push(filter.slice(from, t.at));
      from = t.end;
    }
  }
  parts.push(filter.slice(from));
  return parts.map((p) => p.trim()).filter(Boolean);
}

function hasOr(filter: string): boolean {
  let depth = 0;
  return tokens(filter).some((t) => {
    if (t.kind === 'open') depth++;
    if (t.kind === 'close') depth--;
    return depth === 0 && is(t, 'or');
  });
}

export function join(parts: string[]): string {
  const kept = parts.filter((p) => p.trim() !== '');
  return kept.map((p) => (kept.length > 1 && hasOr(p) ? `(${p})` : p)).join(' and ');
}

export function quote(v: string): string {
  return `"${v.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

export function unquote(t: string): string {
  return /^["'`]/.test(t) ? t.slice(1, t.length > 1 && t.endsWith(t[0]!) ? -1 : undefined).replace(/\\(.)/g, '$1') : t;
}

export interface Choice {
  field: string;
  values: string[];
}

/** A conjunct of the form field = value or field in (values). */
export function choice(part: string): Choice | undefined {
  const ts = tokens(part);
  const [field, op] = ts;
  if (field?.kind !== 'word') return undefined;
  const colon = /^([a-z_]+):(.*)$/.exec(field.text); // field:value is short for field = value
  if (colon && ts.length === 1 && colon[2]) return { field: colon[1]!, values: [colon[2]] };
  if (colon && ts.length === 2 && !colon[2] && op?.kind === 'string') return { field: colon[1]!, values: [unquote(op.text)] };
  if (!op) return undefined;
  if (op.text === '=' && ts.length === 3) return { field: field.text, values: [unquote(ts[2]!.text)] };
  if (is(op, 'in') && ts[2]?.kind === 'open' && ts.at(-1)?.kind === 'close') {
    const values = ts.slice(3, -1).filter((t) => t.kind !== 'comma').map((t) => unquote(t.text));
    return { field: field.text, values };
  }
  return undefined;
}

export function clause(field: string, values: string[]): string {
  if (values.length === 0) return '';
  return values.length === 1 ? `${field} = ${quote(values[0]!)}` : `${field} in (${values.map(quote).join(', ')})`;
}

/** Values of a field that a filter selects by simple clauses. */
export function chosen(filter: string, field: string): string[] {
  return conjuncts(filter).flatMap((p) => {
    const c = choice(p);
    return c?.field === field ? c.values : [];
  });
}

/** Adds a value to a field's clause, or takes it away. */
export function toggle(filter: string, field: string, value: string): string {
  const now = chosen(filter, field);
  const next = now.includes(value) ? now.filter((v) => v !== value) : [...now, value];
  return replace(filter, field, next);
}

/** Sets the values of a field's clause, in its place; none removes it. */
export function replace(filter: string, field: string, values: string[]): string {
  let done = false;
  const parts = conjuncts(filter).flatMap((p) => {
    if (choice(p)?.field !== field) return [p];
    if (done) return [];
    done = true;
    return [clause(field, values)];
  });
  return join(done ? parts : [...parts, clause(field, values)]);
}

/** What may be typed at a place of the filter. */
export type Expect = { want: 'field' | 'op' | 'value' | 'join'; field?: string; prefix: string; from: number; to: number };

const textOps = ['like', 'ilike', 'rlike', 'contains'];

export function expectAt(filter: string, cursor: number): Expect {
  const ts = tokens(filter.slice(0, cursor));
  const last = ts.at(-1);
  const typing = last && last.end === cursor && last.kind !== 'op' && last.kind !== 'open' && last.kind !== 'comma' ? last : undefined;
  const prior = typing ? ts.slice(0, -1) : ts;
  const prefix = typing ? unquote(typing.text) : '';
  const range = { prefix, from: typing ? typing.at : cursor, to: cursor };
  const p = prior.at(-1);
  const list = openList(prior);
  if (list) return { want: 'value', field: list, ...range };
  if (p?.kind === 'op' || textOps.some((w) => is(p, w))) return { want: 'value', field: fieldBefore(prior), ...range };
  if (!p || p.kind === 'open' || is(p, 'and') || is(p, 'or') || is(p, 'not')) return { want: 'field', ...range };
  const before = prior.at(-2);
  if (p.kind === 'word' && (!before || before.kind === 'open' || is(before, 'and') || is(before, 'or') || is(before, 'not')))
    return { want: 'op', field: p.text, ...range };
  return { want: 'join', ...range };
}

function fieldBefore(ts: Token[]): string | undefined {
  for (let i = ts.length - 2; i >= 0; i--) if (ts[i]!.kind === 'word' && !is(ts[i], 'not')) return ts[i]!.text;
  return undefined;
}

function openList(ts: Token[]): string | undefined {
  for (let i = ts.length - 1; i >= 0; i--) {
    if (ts[i]!.kind === 'close') return undefined;
    if (ts[i]!.kind === 'open') return is(ts[i - 1], 'in') ? fieldBefore(ts.slice(0, i)) : undefined;
  }
  return undefined;
}

/** The server counts positions in bytes of UTF-8; this is the index into the string. */
export function indexOfByte(s: string, byte: number): number {
  let n = 0;
  let i = 0;
  for (const ch of s) {
    if (n >= byte) break;
    const c = ch.codePointAt(0)!;
    n += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    i += ch.length;
  }
  return i;
}
