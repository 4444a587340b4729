/** The time range of a page: a length that ends now, or two fixed ends. It lives in the URL as r, or from and to. */
export interface Range {
  r?: string;
  from?: string;
  to?: string;
}

export const presets = ['15m', '1h', '6h', '24h', '7d', '30d', '90d'] as const;
/** The length of a page whose URL names none; a demo is too young to fill a day. */
export const usual = (demo: boolean) => (demo ? '1h' : '24h');

const unit: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

export function lengthOf(r: string): number | undefined {
  const m = /^(\d{1,4})([mhd])$/.exec(r);
  return m ? Number(m[1]) * unit[m[2]!]! : undefined;
}

export function isFixed(range: Range): boolean {
  return Boolean(range.from && range.to && !Number.isNaN(Date.parse(range.from)) && !Number.isNaN(Date.parse(range.to)));
}

/** Both ends, in ms. A relative range is rounded to `step` so that queries of the same moment share their cache. */
export function ends(range: Range, now: number, fallback = usual(false), step = 10_000): { from: number; to: number } {
  if (isFixed(range)) return { from: Date.parse(range.from!), to: Date.parse(range.to!) };
  const to = Math.ceil(now / step) * step;
  return { from: to - (lengthOf(range.r ?? '') ?? lengthOf(fallback)!), to };
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

export function fixed(from: number, to: number): Range {
  return { from: iso(Math.min(from, to)), to: iso(Math.max(from, to)) };
}
