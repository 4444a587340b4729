import { text, type Raw } from '@/shared/time/search';

export interface DiffSearch {
  a?: string; // trace, or trace/span
  b?: string;
  all?: '1'; // unchanged steps are shown too
}

export function diffSearch(raw: Raw): DiffSearch {
  return { a: text(raw, 'a'), b: text(raw, 'b'), all: text(raw, 'all') === '1' ? '1' : undefined };
}
