import type { Range } from '@/shared/time/range';
import { rangeOf, text, type Raw } from '@/shared/time/search';

export const sorts = ['-cost', '-calls', '-errors', '-tokens', '-last_seen'] as const;
export type UserSort = (typeof sorts)[number];

export interface UsersSearch extends Range {
  q?: string;
  sort?: UserSort;
  sel?: string;
}

export function usersSearch(raw: Raw): UsersSearch {
  return { ...rangeOf(raw), q: text(raw, 'q'), sort: sorts.find((s) => s === text(raw, 'sort')), sel: text(raw, 'sel') };
}

export function userSearch(raw: Raw): Range {
  return rangeOf(raw);
}
