import type { Range } from '@/shared/time/range';
import { rangeOf, text, type Raw } from '@/shared/time/search';

export interface SessionsSearch extends Range {
  q?: string;
  sel?: string;
}

export function sessionsSearch(raw: Raw): SessionsSearch {
  return { ...rangeOf(raw), q: text(raw, 'q'), sel: text(raw, 'sel') };
}
