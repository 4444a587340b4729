import type { KeyInfo } from '@/shared/api/types';

export type State = 'ok' | 'blocked' | 'expired' | 'spent';

export function stateOf(k: KeyInfo, now = Date.now()): State {
  if (k.blocked) return 'blocked';
  if (k.expires && Date.parse(k.expires) < now) return 'expired';
  if (k.max_budget_usd != null && (k.spend_usd ?? 0) >= k.max_budget_usd) return 'spent';
  return 'ok';
}
