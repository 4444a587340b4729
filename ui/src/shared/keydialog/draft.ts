import type { NewKey } from '../api/types';
import type { Key } from '../i18n';

export interface Draft {
  alias: string;
  user: string;
  email: string;
  team: string;
  models: string[];
  expires: string; // a date, or ''
  budget: number | '';
  period: string;
}

export const emptyDraft: Draft = { alias: '', user: '', email: '', team: '', models: [], expires: '', budget: '', period: '30d' };
export const periodNames: Record<string, Key> = { '1d': 'period.day', '7d': 'period.week', '30d': 'period.month', '': 'period.never' };
export const periods = ['1d', '7d', '30d', ''] as const;

/** Only what was filled in is sent; a key expires at the end of its day. */
export function toNewKey(d: Draft): NewKey {
  const out: NewKey = {};
  if (d.alias.trim()) out.alias = d.alias.trim();
  if (d.user.trim()) out.user_id = d.user.trim();
  if (d.email.trim()) out.email = d.email.trim();
  if (d.team) out.team_id = d.team;
  if (d.models.length > 0) out.models = d.models;
  if (d.expires) out.expires = new Date(`${d.expires}T23:59:59`).toISOString();
  if (d.budget !== '') {
    out.max_budget_usd = d.budget;
    if (d.period) out.budget_period = d.period;
  }
  return out;
}
