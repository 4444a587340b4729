import type { TraceSummary } from '@/shared/api/observe';
import type { TraceRow } from '@/shared/api/types';
import { quote } from '@/shared/filter/clauses';
import type { ListView } from './search';

/** A row of the list: a span, or a whole trace shown as its root with the trace's figures. */
export interface ListRow extends TraceRow {
  whole?: TraceSummary;
}

export function ofTrace(t: TraceSummary): ListRow {
  return {
    ...t.root, whole: t, name: t.name || t.root.name, start: t.start, duration_ms: t.duration_ms, usage: t.usage, cost_usd: t.cost_usd, session: t.session || t.root.session,
    user: t.user || t.root.user, tags: t.tags, scores: t.scores, first_token_ms: undefined, status: t.errors > 0 && t.status === 'ok' ? 'ok' : t.status || t.root.status,
    model: t.models.join(', '), service: t.services.join(', '),
  };
}

export function markOf(r: ListRow): 'bad' | 'warn' | undefined {
  if (r.whole ? r.whole.errors > 0 || r.status === 'error' : r.status === 'error') return 'bad';
  return r.status === 'ok' || r.status === 'running' ? undefined : 'warn';
}

/** A filter that selects the marked rows, and nothing else. Their ids are trace.span. */
export function filterOf(ids: Iterable<string>, view: ListView): string {
  const pairs = [...ids].map((x) => x.split('.') as [string, string]);
  const list = (values: string[]) => `(${[...new Set(values)].map(quote).join(', ')})`;
  const traces = `trace in ${list(pairs.map((p) => p[0]))}`;
  return view === 'traces' ? traces : `${traces} and id in ${list(pairs.map((p) => p[1]))}`;
}

/** Numbers of a score in a row, or its text. */
export function scoreOf(r: TraceRow, name: string): string {
  const s = r.scores?.find((x) => x.name === name);
  if (!s) return '';
  return s.text || String(Math.round((s.value ?? 0) * 1000) / 1000);
}
