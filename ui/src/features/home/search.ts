import type { Range } from '@/shared/time/range';
import { rangeOf, text, type Raw } from '@/shared/time/search';

export const groupings = ['model', 'user', 'key', 'team', 'client', 'status'] as const;
export type Grouping = (typeof groupings)[number];

export interface HomeSearch extends Range {
  by?: Grouping;
}

export function homeSearch(raw: Raw): HomeSearch {
  const by = groupings.find((g) => g === text(raw, 'by'));
  return { ...rangeOf(raw), by };
}
