import type { KeyInfo } from '../api/types';

/** Share of the budget used, 0…1; undefined without a budget. */
export function used(k: KeyInfo): number | undefined {
  if (k.max_budget_usd == null) return undefined;
  return k.max_budget_usd === 0 ? 1 : Math.min(1, (k.spend_usd ?? 0) / k.max_budget_usd);
}

export const nearlySpent = 0.9;
const worthWatching = 0.7;

/** The keys that run out of budget first. Those that cannot call anyway are left out. */
export function nearEnd(keys: KeyInfo[], now = Date.now()): KeyInfo[] {
  return keys
    .filter((k) => !k.blocked && !(k.expires && Date.parse(k.expires) < now) && (used(k) ?? 0) >= worthWatching)
    .toSorted((a, b) => used(b)! - used(a)!);
}
