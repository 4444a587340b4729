import { text, type Raw } from '@/shared/time/search';

export interface SQLSearch {
  q?: string;
}

export function sqlSearch(raw: Raw): SQLSearch {
  return { q: text(raw, 'q') };
}
