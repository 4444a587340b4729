import { useEffect, useRef, useState } from 'react';
import { apiURL } from '@/shared/api/base';
import { withQuery } from '@/shared/api/client';
import type { TraceRow } from '@/shared/api/types';

const keep = 1000;
const flushEvery = 250;

/** New rows by server-sent events, newest first; arrivals are taken in groups so that a flood costs few renders. */
export function useLive(on: boolean, filter: string): { rows: TraceRow[]; lost: boolean } {
  const [rows, setRows] = useState<TraceRow[]>([]);
  const [lost, setLost] = useState(false);
  const waiting = useRef<TraceRow[]>([]);
  useEffect(() => {
    setRows([]);
    setLost(false);
    waiting.current = [];
    if (!on) return;
    const source = new EventSource(apiURL(withQuery('/live', { filter })));
    source.addEventListener('span', (e) => waiting.current.unshift(JSON.parse((e as MessageEvent<string>).data) as TraceRow));
    source.onopen = () => setLost(false);
    source.onerror = () => setLost(true);
    const timer = setInterval(() => {
      if (waiting.current.length === 0) return;
      const fresh = waiting.current;
      waiting.current = [];
      setRows((old) => merge(fresh, old).slice(0, keep));
    }, flushEvery);
    return () => {
      source.close();
      clearInterval(timer);
    };
  }, [on, filter]);
  return { rows, lost };
}

export const idOf = (r: TraceRow) => `${r.trace}.${r.id}`;

/** Both lists, each span once; the first list wins. */
export function merge(a: TraceRow[], b: TraceRow[]): TraceRow[] {
  const seen = new Set<string>();
  return [...a, ...b].filter((r) => {
    const id = idOf(r);
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}
