/** A value as text: objects as JSON, nothing as "". */
export function cellText(v: unknown): string {
  if (v === null || v === undefined) return '';
  return typeof v === 'object' ? JSON.stringify(v) : String(v);
}

const field = (s: string) => (/[",\n\r]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s);

/** RFC 4180, with a head. */
export function csv(columns: { name: string }[], rows: unknown[][]): string {
  return [columns.map((c) => field(c.name)), ...rows.map((r) => r.map((v) => field(cellText(v))))].map((r) => r.join(',')).join('\r\n') + '\r\n';
}

/** The statement with an example's place in it: line and column of an index, from 1. */
export function lineOf(text: string, index: number): { line: number; column: number } {
  const before = text.slice(0, index).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}
