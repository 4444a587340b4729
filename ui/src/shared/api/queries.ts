import { infiniteQueryOptions, keepPreviousData, queryOptions, type QueryClient } from '@tanstack/react-query';
import { ApiError, get, json, setCsrf, text } from './client';
import type {
  Aggregate, ConnectInfo, FacetValue, FieldInfo, KeyInfo, Me, Model, Page, SessionDetail, SessionRow, System, Team, Trace, TraceRow,
} from './types';

/** One filter and one span of time: what every list and chart is asked with. */
export interface Scope {
  filter?: string;
  from?: string;
  to?: string;
}

const scope = (s: Scope) => ({ filter: s.filter, from: s.from, to: s.to });

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async ({ signal }) => {
    const me = await get<Me>('/me', {}, signal);
    setCsrf(me.csrf);
    return me;
  },
  staleTime: 60_000,
  retry: (n, e) => !(e instanceof ApiError && e.status > 0 && e.status < 500) && n < 2,
});

/** How many rows a page after the first has: who scrolls that far is likely to go on. */
export const further = 300;

export const tracesQuery = (s: Scope, sort = '-start', limit = 100) =>
  infiniteQueryOptions({
    queryKey: ['traces', scope(s), sort, limit],
    queryFn: ({ pageParam, signal }) =>
      get<Page<TraceRow>>('/traces', { ...scope(s), sort, limit: pageParam ? Math.max(limit, further) : limit, cursor: pageParam || undefined }, signal),
    initialPageParam: '',
    getNextPageParam: (p) => p.next_cursor || undefined,
    placeholderData: keepPreviousData,
  });

export const countQuery = (s: Scope) =>
  queryOptions({
    queryKey: ['traces', 'count', scope(s)],
    queryFn: ({ signal }) => get<{ count: number }>('/traces/count', scope(s), signal),
    placeholderData: keepPreviousData,
  });

export const traceQuery = (id: string) =>
  queryOptions({
    queryKey: ['trace', id],
    queryFn: ({ signal }) => get<Trace>(`/traces/${encodeURIComponent(id)}`, {}, signal),
    staleTime: 30_000,
  });

export type Side = 'input' | 'output';

export const bodyQuery = (trace: string, span: string, side: Side) =>
  queryOptions({
    queryKey: ['body', trace, span, side],
    queryFn: ({ signal }) => text(`/traces/${encodeURIComponent(trace)}/spans/${encodeURIComponent(span)}/${side}`, signal),
    staleTime: Infinity,
    gcTime: 60_000,
  });

export const curlText = (trace: string, span: string) =>
  text(`/traces/${encodeURIComponent(trace)}/spans/${encodeURIComponent(span)}/curl`);

export const sessionsQuery = (s: Scope, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ['sessions', scope(s), limit],
    queryFn: ({ pageParam, signal }) =>
      get<Page<SessionRow>>('/sessions', { ...scope(s), limit, cursor: pageParam || undefined }, signal),
    initialPageParam: '',
    getNextPageParam: (p) => p.next_cursor || undefined,
    placeholderData: keepPreviousData,
  });

export const sessionQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ['session', id],
    queryFn: ({ pageParam, signal }) =>
      get<SessionDetail>(`/sessions/${encodeURIComponent(id)}`, { limit: 100, cursor: pageParam || undefined }, signal),
    initialPageParam: '',
    getNextPageParam: (p) => p.next_cursor || undefined,
  });

/** Only whether a session exists, and its name. */
export const sessionHeadQuery = (id: string) =>
  queryOptions({
    queryKey: ['session', id, 'head'],
    queryFn: ({ signal }) => get<SessionDetail>(`/sessions/${encodeURIComponent(id)}`, { limit: 1 }, signal),
  });

export interface AggregateAsk extends Scope {
  group_by?: string;
  interval?: string;
  limit?: number;
}

const measures = 'calls,errors,cost,tokens,p50,p95,ttft_p50,ttft_p95';

export const aggregateQuery = (a: AggregateAsk) =>
  queryOptions({
    queryKey: ['aggregate', a],
    queryFn: ({ signal }) =>
      get<Aggregate>(
        '/aggregate',
        { ...scope(a), measure: measures, group_by: a.group_by, interval: a.interval ?? 'auto', limit: a.limit ?? 8 },
        signal,
      ),
    placeholderData: keepPreviousData,
  });

export const facetsQuery = (field: string, s: Scope, prefix = '', limit = 20) =>
  queryOptions({
    queryKey: ['facets', field, scope(s), prefix, limit],
    queryFn: ({ signal }) =>
      get<{ values: FacetValue[] }>('/facets', { field, ...scope(s), prefix: prefix || undefined, limit }, signal),
    placeholderData: keepPreviousData,
    staleTime: 15_000,
  });

export const fieldsQuery = queryOptions({
  queryKey: ['fields'],
  queryFn: ({ signal }) => get<{ fields: FieldInfo[] }>('/fields', {}, signal),
  staleTime: 600_000,
});

export const keysQuery = (search: string) =>
  infiniteQueryOptions({
    queryKey: ['keys', search],
    queryFn: ({ pageParam, signal }) =>
      get<Page<KeyInfo>>('/keys', { search: search || undefined, limit: 100, cursor: pageParam || undefined }, signal),
    initialPageParam: '',
    getNextPageParam: (p) => p.next_cursor || undefined,
    placeholderData: keepPreviousData,
  });

/** As many keys as the API gives at once; not asked again when the caller may not. */
export const allKeysQuery = queryOptions({
  queryKey: ['keys', 'all', 'list'],
  queryFn: ({ signal }) => get<Page<KeyInfo>>('/keys', { limit: 1000 }, signal),
  staleTime: 30_000,
  retry: false,
});

/** One key as it is now: never from the cache, since it is about to be changed. */
export const keyQuery = (id: string) =>
  queryOptions({
    queryKey: ['keys', 'one', id],
    queryFn: ({ signal }) => get<KeyInfo>(`/keys/${encodeURIComponent(id)}`, {}, signal),
    gcTime: 0,
    refetchOnWindowFocus: false,
  });

export const teamsQuery = queryOptions({
  queryKey: ['teams'],
  queryFn: ({ signal }) => get<Page<Team>>('/teams', {}, signal),
  staleTime: 60_000,
});

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: ({ signal }) => get<Page<Model>>('/models', {}, signal),
  staleTime: 15_000,
});

export const systemQuery = queryOptions({
  queryKey: ['system'],
  queryFn: ({ signal }) => get<System>('/system', {}, signal),
  refetchInterval: 5_000,
});

export const connectQuery = queryOptions({
  queryKey: ['connect'],
  queryFn: ({ signal }) => get<ConnectInfo>('/connect', {}, signal),
  staleTime: 600_000,
});

export async function signIn(client: QueryClient, path: '/auth/login' | '/auth/exchange', body: unknown): Promise<void> {
  const me = await json<Me>('POST', path, { body });
  setCsrf(me.csrf);
  client.clear();
  client.setQueryData(meQuery.queryKey, me);
}

export async function signOut(client: QueryClient): Promise<void> {
  await json('POST', '/auth/logout');
  client.clear();
}
