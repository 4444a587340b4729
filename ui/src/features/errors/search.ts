import type { Range } from '@/shared/time/range';
import { rangeOf, text, type Raw } from '@/shared/time/search';

export const kinds = ['class', 'provider', 'model', 'http', 'shape'] as const;
export type Kind = (typeof kinds)[number];

export const tabs = ['groups', 'latency', 'ttft'] as const;
export type ErrorTab = (typeof tabs)[number];

export interface ErrorsSearch extends Range {
  q?: string;
  by?: string; // what groups have in common, with commas; unset: everything
  tab?: ErrorTab;
  sel?: string; // group
}

export function errorsSearch(raw: Raw): ErrorsSearch {
  const by = (text(raw, 'by') ?? '').split(',').filter((k) => (kinds as readonly string[]).includes(k)).join(',');
  const tab = tabs.find((x) => x === text(raw, 'tab') && x !== 'groups');
  return { ...rangeOf(raw), q: text(raw, 'q'), by: by || undefined, tab, sel: text(raw, 'sel') };
}
