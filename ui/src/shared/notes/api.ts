import { queryOptions, type QueryClient } from '@tanstack/react-query';
import { get, json } from '../api/client';

/** What a score or comment is about: a span, a trace, or a session. */
export interface Target {
  trace?: string;
  span?: string;
  session?: string;
}

export type ScoreType = 'numeric' | 'categorical' | 'boolean' | 'text';

export interface Score extends Target {
  id: string;
  name: string;
  type: string;
  value?: unknown; // a number, a truth or a text, by type
  text?: string;
  source?: string;
  author?: string;
  comment?: string;
  metadata?: unknown;
  created?: string;
  updated?: string;
}

export interface ScoreName {
  name: string;
  type: string;
  count?: number;
  categories?: string[] | null;
}

export interface Comment extends Target {
  id: string;
  author?: string;
  text: string;
  created?: string;
  updated?: string;
}

interface List<R> {
  items: R[];
}

const asked = (t: Target) => ({ trace: t.trace, span: t.span, session: t.session });

export const scoresQuery = (t: Target) =>
  queryOptions({ queryKey: ['scores', asked(t)], queryFn: ({ signal }) => get<List<Score>>('/scores', asked(t), signal), staleTime: 10_000 });

export const commentsQuery = (t: Target) =>
  queryOptions({ queryKey: ['comments', asked(t)], queryFn: ({ signal }) => get<List<Comment>>('/comments', asked(t), signal), staleTime: 10_000 });

export const historyQuery = (id: string) =>
  queryOptions({ queryKey: ['scores', 'history', id], queryFn: ({ signal }) => get<List<Score>>(`/scores/${encodeURIComponent(id)}/history`, {}, signal) });

export const scoreNamesQuery = queryOptions({
  queryKey: ['scores', 'names'],
  queryFn: ({ signal }) => get<{ names: ScoreName[] }>('/scores/names', {}, signal),
  staleTime: 60_000,
});

export interface ScoreDraft {
  name: string;
  type: ScoreType;
  value: number | boolean | string;
  comment?: string;
}

export async function saveScore(client: QueryClient, at: Target, draft: ScoreDraft, id?: string): Promise<void> {
  if (id) await json('PATCH', `/scores/${encodeURIComponent(id)}`, { body: { value: draft.value, comment: draft.comment ?? '' } });
  else await json('POST', '/scores', { body: { ...asked(at), ...draft } });
  await client.invalidateQueries({ queryKey: ['scores'] });
}

export async function deleteScore(client: QueryClient, id: string): Promise<void> {
  await json('DELETE', `/scores/${encodeURIComponent(id)}`);
  await client.invalidateQueries({ queryKey: ['scores'] });
}

export async function saveComment(client: QueryClient, at: Target, text: string, id?: string): Promise<void> {
  if (id) await json('PATCH', `/comments/${encodeURIComponent(id)}`, { body: { text } });
  else await json('POST', '/comments', { body: { ...asked(at), text } });
  await client.invalidateQueries({ queryKey: ['comments'] });
}

export async function deleteComment(client: QueryClient, id: string): Promise<void> {
  await json('DELETE', `/comments/${encodeURIComponent(id)}`);
  await client.invalidateQueries({ queryKey: ['comments'] });
}

/** The value of a score as text. */
export function valueOf(s: Score): string {
  if (s.type === 'boolean') return s.value === true || s.value === 1 || s.text === 'true' ? '✓' : '✗';
  if (s.type === 'numeric') return typeof s.value === 'number' ? String(Math.round(s.value * 1e4) / 1e4) : '';
  return s.text || (typeof s.value === 'string' ? s.value : '');
}
