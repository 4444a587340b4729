import { queryOptions } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import { get, text } from '@/shared/api/client';
import type { Span, Trace } from '@/shared/api/types';
import type { Canonical } from '@/shared/chat/canonical';
import type { TreeAnswer } from './columns';

/** Where a trace is read from: the project's own, or a share that anybody with its link may read. */
export interface Source {
  base: string; // path of the trace under /api/v1
  trace: string; // its id, "" if the share does not tell
  shared: boolean;
  session?: string; // that its spans belong to, where they do not all say so
}

export const ownSource = (trace: string): Source => ({ base: `/traces/${encodeURIComponent(trace)}`, trace, shared: false });
export const sharedSource = (token: string): Source => ({ base: `/share/${encodeURIComponent(token)}`, trace: '', shared: true });

export const SourceContext = createContext<Source>(ownSource(''));
export const useSource = (): Source => useContext(SourceContext);

/** Spans that come whole with the trace. Of a bigger one the tree is read as columns, and each span when it is opened. */
const whole = 300;

export const headQuery = (s: Source) =>
  queryOptions({
    queryKey: ['trace', s.base, 'head'],
    queryFn: ({ signal }) => get<Trace>(s.base, { limit: whole }, signal),
    staleTime: 30_000,
  });

/** All pages of the columns, which are not compared with those before: that would take longer than drawing them. */
export const treeQuery = (s: Source) =>
  queryOptions({
    queryKey: ['trace', s.base, 'tree'],
    queryFn: async ({ signal }) => {
      const pages: TreeAnswer[] = [];
      let cursor: string | undefined;
      do {
        const page: TreeAnswer = await get<TreeAnswer>(`${s.base}/tree`, { cursor }, signal);
        pages.push(page);
        cursor = page.next_cursor || undefined;
      } while (cursor);
      return pages;
    },
    staleTime: 30_000,
    structuralSharing: false,
  });

const spanPath = (s: Source, span: string) => `${s.base}/spans/${encodeURIComponent(span)}`;

export const spanQuery = (s: Source, span: string) =>
  queryOptions({
    queryKey: ['trace', s.base, 'span', span],
    queryFn: ({ signal }) => get<Span>(spanPath(s, span), {}, signal),
    staleTime: 30_000,
  });

/** Attributes as they arrived; shares do not show them. */
export const rawSpanQuery = (s: Source, span: string) =>
  queryOptions({
    queryKey: ['trace', s.base, 'raw', span],
    queryFn: ({ signal }) => get<Span>(spanPath(s, span), { raw: 'true' }, signal),
    staleTime: Infinity,
    gcTime: 120_000,
    structuralSharing: false,
  });

export const messagesQuery = (s: Source, span: string) =>
  queryOptions({
    queryKey: ['trace', s.base, 'messages', span],
    queryFn: ({ signal }) => get<Canonical>(`${spanPath(s, span)}/messages`, {}, signal),
    staleTime: Infinity,
    gcTime: 120_000,
    structuralSharing: false,
  });

export type Side = 'input' | 'output';

export const bodyQuery = (s: Source, span: string, side: Side) =>
  queryOptions({
    queryKey: ['trace', s.base, side, span],
    queryFn: ({ signal }) => text(`${spanPath(s, span)}/${side}`, signal),
    staleTime: Infinity,
    gcTime: 120_000,
  });
