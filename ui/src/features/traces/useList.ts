import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { applicationsQuery, callsQuery, summariesQuery, type TraceSummary } from '@/shared/api/observe';
import { tracesQuery, type Scope } from '@/shared/api/queries';
import { ofTrace, type ListRow } from './rows';
import type { ListView } from './search';

/** The view of a URL that names none: traces where applications send spans of their own. */
export function useView(asked: ListView | undefined): ListView | undefined {
  const apps = useQuery({ ...applicationsQuery, enabled: asked === undefined });
  return asked ?? (apps.isPending ? undefined : apps.data ? 'traces' : 'spans');
}

const whileEmpty = 3000;

/** A row of a trace stays the same object as long as the trace does, which is what the table knows it by. */
const made = new WeakMap<TraceSummary, ListRow>();
function rowOf(t: TraceSummary): ListRow {
  const row = made.get(t) ?? ofTrace(t);
  made.set(t, row);
  return row;
}

/** The rows of a view so far, and how to get more. */
export function useList(view: ListView | undefined, scope: Scope, sort: string, live: boolean) {
  // Each page is asked for again, so a list that has grown is refreshed less often.
  const every = (x: { state: { data?: { pages: { items: unknown[] }[] } } }) => (live || x.state.data?.pages[0]?.items.length === 0 ? whileEmpty * (x.state.data?.pages.length ?? 1) : (false as const));
  const spans = useInfiniteQuery({ ...tracesQuery(scope, sort), enabled: view === 'spans', refetchInterval: (x) => (x.state.data?.pages[0]?.items.length === 0 ? whileEmpty : false) });
  const calls = useInfiniteQuery({ ...callsQuery(scope, sort), enabled: view === 'calls', refetchInterval: every });
  const traces = useInfiniteQuery({ ...summariesQuery(scope, sort), enabled: view === 'traces', refetchInterval: every });
  const q = view === 'traces' ? traces : view === 'calls' ? calls : spans;
  const rows = useMemo<ListRow[]>(() => {
    if (view === 'traces') return traces.data?.pages.flatMap((p) => p.items.map(rowOf)) ?? [];
    return (view === 'calls' ? calls : spans).data?.pages.flatMap((p) => p.items) ?? [];
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [view, traces.data, calls.data, spans.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = q;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return { rows, more, partial: q.data?.pages[0]?.partial ?? false, error: q.error, isError: q.isError, isSuccess: q.isSuccess, isPending: q.isPending, isPlaceholderData: q.isPlaceholderData, isFetching: q.isFetching, isFetchingNextPage, refetch: () => void q.refetch() };
}
