export interface Bucket {
  from: number;
  to: number;
  count: number;
  errors: number;
}

/** Neighbours put together so that at most `max` are left; each holds as many as the others, but for the last. */
export function merged(buckets: Bucket[], max: number): Bucket[] {
  const n = Math.ceil(buckets.length / max);
  if (n <= 1) return buckets;
  const out: Bucket[] = [];
  for (let i = 0; i < buckets.length; i += n) {
    const part = buckets.slice(i, i + n);
    out.push({ from: part[0]!.from, to: part.at(-1)!.to, count: part.reduce((x, b) => x + b.count, 0), errors: part.reduce((x, b) => x + b.errors, 0) });
  }
  return out;
}
