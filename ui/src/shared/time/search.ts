import { presets, type Range } from './range';

/** Reading and writing of search parameters: plain strings, so that URLs can be read and typed. */
export type Raw = Record<string, unknown>;

export function text(raw: Raw, name: string): string | undefined {
  const v = raw[name];
  return typeof v === 'string' && v !== '' ? v : undefined;
}

export function rangeOf(raw: Raw): Range {
  const r = text(raw, 'r');
  const from = text(raw, 'from');
  const to = text(raw, 'to');
  if (from && to) return { from, to };
  return r && ((presets as readonly string[]).includes(r) || /^\d{1,4}[mhd]$/.test(r)) ? { r } : {};
}

export function parseSearch(s: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(s));
}

export function stringifySearch(search: Raw): string {
  const p = new URLSearchParams();
  for (const [k, v] of Object.entries(search)) if (v !== undefined && v !== null && v !== '') p.set(k, String(v));
  const s = p.toString();
  return s ? '?' + s : '';
}
