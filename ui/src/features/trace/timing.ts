import type { Span } from '@/shared/api/types';
import type { Key } from '@/shared/i18n';

export interface Phase {
  key: Key;
  from: number;
  took: number;
  color: string;
}

/** Where the time of a call went: before the first dial, until the first token, streaming. */
export function phases(span: Span): Phase[] {
  const tries = Array.isArray(span.tries) ? span.tries : [];
  const before = tries[0]?.start_ms ?? 0;
  const first = span.first_token_ms ?? 0;
  const out: Phase[] = [];
  if (before > 0) out.push({ key: 'phase.before', from: 0, took: before, color: 'var(--w-text-3)' });
  if (first > 0 && first <= span.duration_ms) {
    out.push({ key: 'phase.first', from: before, took: Math.max(0, first - before), color: 'var(--w-tok-read)' });
    out.push({ key: 'phase.stream', from: first, took: span.duration_ms - first, color: 'var(--w-tok-output)' });
  } else out.push({ key: 'phase.answer', from: before, took: Math.max(0, span.duration_ms - before), color: 'var(--w-tok-read)' });
  return out;
}
