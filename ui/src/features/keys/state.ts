import type { KeyInfo } from '@/shared/api/types';

export type State = 'ok' | 'blocked' | 'expired' | 'spent';

export function stateOf(k: KeyInfo, now = Date.now()): State {
  if (k.blocked) return 'blocked';
  if (k.expires && Date.parse(k.expires) < now) return 'expired';
  if (k.max_budget_usd != null && (k.spend_usd ?? 0) >= k.max_budget_usd) return 'spent';
  return 'ok';
}

/** Share of the budget used, 0…1; undefined without a budget. */
export function used(k: KeyInfo): number | undefined {
  if (k.max_budget_usd == null) return undefined;
  return k.max_budget_usd === 0 ? 1 : Math.min(1, (k.spend_usd ?? 0) / k.max_budget_usd);
}

export const nearlySpent = 0.9;
