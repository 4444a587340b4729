import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useDebouncedValue } from '@mantine/hooks';
import { useMemo } from 'react';
import type { Span } from '@/shared/api/types';
import { fromSpans, fromTree } from './columns';
import { forest, type Forest } from './forest';
import { headQuery, spanQuery, treeQuery, type Source } from './source';

const young = 60_000; // ms after its last sign of life in which a trace may still grow

/** A trace as a forest, however big it is. */
export function useTrace(source: Source) {
  const head = useQuery({ ...headQuery(source), refetchInterval: (q) => (q.state.data && !q.state.data.truncated && isYoung(q.state.data.spans) ? 4000 : false) });
  const big = head.data?.truncated === true;
  const tree = useQuery({ ...treeQuery(source), enabled: big });
  const f = useMemo<Forest | undefined>(() => {
    if (big) return tree.data && forest(fromTree(tree.data));
    return head.data && forest(fromSpans(head.data.spans));
  }, [big, tree.data, head.data]);
  const error = head.error ?? tree.error;
  return { head: head.data, f, big, error, retry: () => void (head.isError ? head.refetch() : tree.refetch()) };
}

function isYoung(spans: Span[]): boolean {
  const last = spans.reduce((n, s) => Math.max(n, Date.parse(s.start) + s.duration_ms), 0);
  return Date.now() - last < young;
}

/** The span in full: with the trace if that is small, else fetched once the reader rests on it. */
export function useSpan(source: Source, spans: Span[] | undefined, big: boolean, id: string | undefined) {
  const [rested] = useDebouncedValue(id, 90);
  const here = useMemo(() => spans?.find((s) => s.id === id), [spans, id]);
  const q = useQuery({ ...spanQuery(source, rested ?? ''), enabled: big && !here && !!rested, placeholderData: keepPreviousData });
  if (here) return { span: here, error: null };
  return { span: big && !q.isError ? q.data : undefined, error: big ? q.error : null };
}
