import type { Range } from '@/shared/time/range';
import { rangeOf, text, type Raw } from '@/shared/time/search';

export const views = ['traces', 'calls', 'spans'] as const;
export type ListView = (typeof views)[number];

export interface TracesSearch extends Range {
  q?: string;
  view?: ListView; // unset: traces where applications send spans, else spans
  sort?: string;
  sel?: string; // span under the cursor, as trace.span
  open?: string; // "1" = its panel is open
  live?: string; // "1" = new rows arrive by themselves
}

export function tracesSearch(raw: Raw): TracesSearch {
  const view = views.find((v) => v === text(raw, 'view'));
  return { ...rangeOf(raw), q: text(raw, 'q'), view, sort: text(raw, 'sort'), sel: text(raw, 'sel'), open: text(raw, 'open'), live: text(raw, 'live') };
}
