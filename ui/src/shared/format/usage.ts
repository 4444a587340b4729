/** Arithmetic over the four disjoint token buckets. */

export interface Buckets {
  input?: number;
  cache_read?: number;
  cache_write?: number;
  cache_write_1h?: number;
  output?: number;
}

export function writes(u: Buckets): number {
  return (u.cache_write ?? 0) + (u.cache_write_1h ?? 0);
}

export function prompt(u: Buckets): number {
  return (u.input ?? 0) + (u.cache_read ?? 0) + writes(u);
}

export function total(u: Buckets): number {
  return prompt(u) + (u.output ?? 0);
}

/** Share of the prompt that came from the cache, 0…1; undefined without a prompt. */
export function cacheShare(u: Buckets): number | undefined {
  const p = prompt(u);
  return p > 0 ? (u.cache_read ?? 0) / p : undefined;
}

export function add(a: Buckets, b: Buckets): Required<Buckets> {
  return {
    input: (a.input ?? 0) + (b.input ?? 0),
    cache_read: (a.cache_read ?? 0) + (b.cache_read ?? 0),
    cache_write: (a.cache_write ?? 0) + (b.cache_write ?? 0),
    cache_write_1h: (a.cache_write_1h ?? 0) + (b.cache_write_1h ?? 0),
    output: (a.output ?? 0) + (b.output ?? 0),
  };
}

export interface Prices {
  input_per_mtok?: number;
  output_per_mtok?: number;
  cache_read_per_mtok?: number;
  cache_write_per_mtok?: number;
  cache_write_1h_per_mtok?: number;
}

/** Cost in USD by a price list; a cache price that is not listed is the input price. */
export function price(u: Buckets, p: Prices): number {
  const input = p.input_per_mtok ?? 0;
  const write = p.cache_write_per_mtok ?? input;
  return (
    ((u.input ?? 0) * input +
      (u.cache_read ?? 0) * (p.cache_read_per_mtok ?? input) +
      (u.cache_write ?? 0) * write +
      (u.cache_write_1h ?? 0) * (p.cache_write_1h_per_mtok ?? write) +
      (u.output ?? 0) * (p.output_per_mtok ?? 0)) /
    1e6
  );
}

/** What the cache saved against paying the input price for everything, in USD; negative if writing cost more. */
export function saved(u: Buckets, p: Prices): number {
  const plain = { input: prompt(u), output: u.output };
  return price(plain, p) - price(u, p);
}
