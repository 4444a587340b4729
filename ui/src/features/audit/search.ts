import type { Range } from '@/shared/time/range';
import { rangeOf, text, type Raw } from '@/shared/time/search';

export interface AuditSearch extends Range {
  search?: string;
  action?: string;
  actor?: string;
}

export function auditSearch(raw: Raw): AuditSearch {
  return { ...rangeOf(raw), search: text(raw, 'search'), action: text(raw, 'action'), actor: text(raw, 'actor') };
}
