import { useDebouncedValue } from '@mantine/hooks';
import { useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { get } from '@/shared/api/client';
import type { Page, TraceRow } from '@/shared/api/types';
import { quote } from '@/shared/filter/clauses';
import type { Columns } from './columns';
import type { Forest } from './forest';
import type { Source } from './source';

/** Spans whose name, model, kind, error or id holds the words. */
export function inColumns(c: Columns, words: string): number[] {
  const w = words.toLowerCase();
  const out: number[] = [];
  const lower = new Map<string, boolean>(); // a trace has far fewer names than spans
  const has = (v: string) => {
    let hit = lower.get(v);
    if (hit === undefined) lower.set(v, (hit = v.toLowerCase().includes(w)));
    return hit;
  };
  for (let i = 0; i < c.n; i++) if (has(c.names[i]!) || has(c.models[i]!) || has(c.kinds[i]!) || has(c.errors[i]!) || c.ids[i] === words) out.push(i);
  return out;
}

const texts = new WeakMap<object, string>();

function textOf(data: unknown): string {
  if (typeof data === 'string') return data;
  if (typeof data !== 'object' || data === null) return '';
  let t = texts.get(data);
  if (t === undefined) texts.set(data, (t = JSON.stringify(data)));
  return t;
}

/** Spans of which a body that was already loaded holds the words. */
function inLoaded(client: QueryClient, s: Source, words: string): string[] {
  const w = words.toLowerCase();
  const kinds = new Set(['messages', 'input', 'output']);
  return client
    .getQueriesData({ queryKey: ['trace', s.base] })
    .filter(([key, data]) => kinds.has(String(key[2])) && textOf(data).toLowerCase().includes(w))
    .map(([key]) => String(key[3]));
}

/** Which spans hold the words: by the columns and loaded bodies at once, and by the server's full-text index soon after. */
export function useFound(f: Forest | undefined, s: Source, words: string, scope: string): ReadonlySet<number> {
  const client = useQueryClient();
  const [rested] = useDebouncedValue(words.trim(), 250);
  const filter = `trace = ${quote(s.trace)} and ${quote(rested)}`;
  const indexed = useQuery({
    queryKey: ['trace', s.base, 'find', rested],
    queryFn: ({ signal }) => get<Page<TraceRow>>('/traces', { filter, limit: 500 }, signal),
    enabled: !s.shared && rested.length > 1,
    retry: false,
    staleTime: 30_000,
  });
  return useMemo(() => {
    const w = words.trim();
    const out = new Set<number>();
    if (!f || w === '') return out;
    for (const i of inColumns(f.c, w)) out.add(i);
    const ids = [...inLoaded(client, s, w), ...(w === rested ? (indexed.data?.items.map((x) => x.id) ?? []) : [])];
    for (const id of ids) {
      const i = f.index.get(id);
      if (i !== undefined) out.add(i);
    }
    return out;
    // eslint-disable-next-line react-hooks/exhaustive-deps -- scope: another span was opened, so more may be loaded
  }, [f, words, rested, indexed.data, client, s, scope]);
}
