import type { Range } from '@/shared/time/range';
import { rangeOf, text, type Raw } from '@/shared/time/search';

export interface TracesSearch extends Range {
  q?: string;
  sort?: string;
  sel?: string; // span under the cursor, as trace.span
  open?: string; // "1" = its panel is open
  live?: string; // "1" = new rows arrive by themselves
}

export function tracesSearch(raw: Raw): TracesSearch {
  return { ...rangeOf(raw), q: text(raw, 'q'), sort: text(raw, 'sort'), sel: text(raw, 'sel'), open: text(raw, 'open'), live: text(raw, 'live') };
}
