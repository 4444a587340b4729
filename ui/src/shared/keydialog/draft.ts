import type { KeyFields, KeyInfo } from '../api/types';
import type { Key } from '../i18n';

export interface Draft {
  alias: string;
  user: string;
  email: string;
  team: string;
  models: string[];
  tags: string[];
  expires: string; // a date, or ''
  budget: number | '';
  period: string;
  rpm: number | '';
  tpm: number | '';
}

export const emptyDraft: Draft = { alias: '', user: '', email: '', team: '', models: [], tags: [], expires: '', budget: '', period: '30d', rpm: '', tpm: '' };
export const periodNames: Record<string, Key> = { '1d': 'period.day', '7d': 'period.week', '30d': 'period.month', '': 'period.never' };
export const periods = ['1d', '7d', '30d', ''] as const;

/** A key as the dialog shows it; its day of expiry is the one of this time zone. */
export function draftOf(k: KeyInfo): Draft {
  return {
    alias: k.alias ?? '', user: k.user ?? '', email: k.email ?? '', team: k.team ?? '',
    models: k.models ?? [], tags: k.tags ?? [], expires: k.expires ? day(new Date(k.expires)) : '',
    budget: k.max_budget_usd ?? '', period: k.max_budget_usd == null ? emptyDraft.period : (k.budget_period ?? ''), rpm: k.rpm || '', tpm: k.tpm || '',
  };
}

function day(d: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

/** What differs between two drafts, as the API takes it: "", null, 0 and [] clear. A key expires at the end of its day. */
export function changes(old: Draft, d: Draft): KeyFields {
  const out: KeyFields = {};
  const texts = { alias: 'alias', user: 'user_id', email: 'email', team: 'team_id' } as const;
  for (const f of Object.keys(texts) as (keyof typeof texts)[]) if (d[f].trim() !== old[f].trim()) out[texts[f]] = d[f].trim();
  for (const f of ['models', 'tags'] as const) if (d[f].join('\n') !== old[f].join('\n')) out[f] = d[f];
  for (const f of ['rpm', 'tpm'] as const) if (d[f] !== old[f]) out[f] = d[f] || 0;
  if (d.expires !== old.expires) out.expires = d.expires && new Date(`${d.expires}T23:59:59`).toISOString();
  if (d.budget !== old.budget) out.max_budget_usd = d.budget === '' ? null : d.budget;
  const period = (x: Draft) => (x.budget === '' ? '' : x.period);
  if (period(d) !== period(old)) out.budget_period = period(d);
  return out;
}
