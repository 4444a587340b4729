import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { get, json, type Query } from './client';
import { further, type Scope } from './queries';
import type { components } from './schema';

/** What lists, errors, users, alerts and settings read; shapes are those of the server's OpenAPI document. */
type S = components['schemas'];
export type TraceSummary = S['TraceSummary'];
export type ErrorGroup = S['ErrorGroup'];
export type ErrorList = S['ErrorList'];
export type Histogram = S['Histogram'];
export type Heatmap = S['Heatmap'];
export type UserUsage = S['UserUsage'];
export type ActiveDay = S['ActiveDay'];
export type ScoreMean = S['ScoreMean'];
export type View = S['View'];
export type Alert = S['Alert'];
export type AlertChannel = S['AlertChannel'];
export type AlertEvent = S['AlertEvent'];
export type AlertPreview = S['AlertPreview'];
export type ExportSchedule = S['ExportSchedule'];
export type AuditEntry = S['AuditEntry'];
export type Erasure = S['Erasure'];
/** Rows of an answer are never null, whatever the generated type of a nested list says. */
export type SQLAnswer = Omit<S['SQLAnswer'], 'rows'> & { rows: unknown[][] };
export type SQLSchema = S['SQLSchema'];

const scope = (s: Scope): Query => ({ filter: s.filter, from: s.from, to: s.to });

interface Cursored {
  next_cursor?: string;
}

/** Pages of a list that hands out a cursor; later is what those after the first are asked for with. */
const paged = <R extends Cursored>(key: unknown[], path: string, query: Query, later: Query = {}) =>
  infiniteQueryOptions({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => get<R>(path, pageParam ? { ...query, ...later, cursor: pageParam } : query, signal),
    initialPageParam: '',
    getNextPageParam: (p) => p.next_cursor || undefined,
    placeholderData: keepPreviousData,
  });

const one = <R>(key: unknown[], path: string, query: Query = {}, stale = 5_000) =>
  queryOptions({ queryKey: key, queryFn: ({ signal }) => get<R>(path, query, signal), staleTime: stale, placeholderData: keepPreviousData });

export const summariesQuery = (s: Scope, sort = '-start', limit = 100) =>
  paged<S['TracePage']>(['traces', 'summaries', scope(s), sort, limit], '/traces', { ...scope(s), view: 'traces', sort, limit }, { limit: Math.max(limit, further) });

export const callsQuery = (s: Scope, sort = '-start', limit = 100) =>
  paged<S['TraceList']>(['traces', 'calls', scope(s), sort, limit], '/traces', { ...scope(s), view: 'calls', sort, limit }, { limit: Math.max(limit, further) });

/** Whether applications send spans of their own. */
export const applicationsQuery = queryOptions({
  queryKey: ['traces', 'applications'],
  queryFn: async ({ signal }) => (await get<S['TraceList']>('/traces', { filter: 'source != gateway', limit: 1 }, signal)).items.length > 0,
  staleTime: 300_000,
});

export const pathsQuery = (field: string, s: Scope, prefix = '', limit = 30) =>
  one<S['PathList']>(['paths', field, scope(s), prefix, limit], '/fields/paths', { field, ...scope(s), prefix: prefix || undefined, limit }, 15_000);

export const checkQuery = (filter: string) =>
  queryOptions({
    queryKey: ['filter', 'check', filter],
    queryFn: ({ signal }) => json<S['FilterCheck']>('POST', '/filter/check', { body: { filter }, signal }),
    staleTime: Infinity,
    gcTime: 60_000,
    retry: false,
  });

export const errorsQuery = (s: Scope, group = '') => one<ErrorList>(['errors', scope(s), group], '/errors', { ...scope(s), group, limit: 100 });

export const histogramQuery = (field: string, s: Scope) => one<Histogram>(['histogram', field, scope(s)], '/histogram', { field, ...scope(s), buckets: 36 });

export const heatmapQuery = (field: string, s: Scope) => one<Heatmap>(['heatmap', field, scope(s)], '/heatmap', { field, ...scope(s), buckets: 18 });

export const usersQuery = (s: Scope, sort: string, limit = 100) =>
  paged<S['UserUsageList']>(['usage', 'users', scope(s), sort, limit], '/usage/users', { ...scope(s), sort, limit });

export const userActivityQuery = (user: string) => one<S['Activity']>(['usage', 'activity', user], '/users-activity', { user });

export const viewsQuery = (page: string) => one<S['ViewList']>(['views', page], '/views', { page });

export const alertsQuery = queryOptions({
  queryKey: ['alerts'],
  queryFn: ({ signal }) => get<S['AlertList']>('/alerts', {}, signal),
  refetchInterval: 15_000,
});

export const alertQuery = (id: string) => one<Alert>(['alerts', id], `/alerts/${encodeURIComponent(id)}`);

export const alertHistoryQuery = (id: string) => one<S['AlertHistory']>(['alerts', id, 'history'], `/alerts/${encodeURIComponent(id)}/history`);

export const previewQuery = (rule: unknown) =>
  queryOptions({
    queryKey: ['alerts', 'preview', rule],
    queryFn: ({ signal }) => json<AlertPreview>('POST', '/alerts/preview', { body: rule, signal }),
    placeholderData: keepPreviousData,
    retry: false,
  });

export const exportsQuery = queryOptions({
  queryKey: ['exports'],
  queryFn: ({ signal }) => get<S['ExportScheduleList']>('/exports', {}, signal),
  refetchInterval: 10_000,
});

export const auditQuery = (ask: Query) => paged<S['AuditList']>(['audit', ask], '/audit', { ...ask, limit: 100 });

export const verifyAudit = () => get<S['AuditCheck']>('/audit/verify');

export const retentionQuery = one<S['RetentionInfo']>(['retention'], '/retention');

export const erasuresQuery = queryOptions({
  queryKey: ['erase'],
  queryFn: ({ signal }) => get<S['ErasureList']>('/erase', {}, signal),
  refetchInterval: (q) => (q.state.data?.items.some((j) => j.state === 'running') ? 1_000 : false),
});

export const erasureQuery = (id: string) =>
  queryOptions({
    queryKey: ['erase', id],
    queryFn: ({ signal }) => get<Erasure>(`/erase/${encodeURIComponent(id)}`, {}, signal),
    refetchInterval: (q) => (q.state.data?.state === 'running' ? 700 : false),
  });

export const sqlSchemaQuery = one<SQLSchema>(['sql', 'schema'], '/sql/schema', {}, 600_000);

export const runSQL = (query: string, limit: number, signal?: AbortSignal) => json<SQLAnswer>('POST', '/sql', { body: { query, limit }, signal });
