import { apiURL } from './base';
import { pref } from '../theme/prefs';

export const projectPref = pref<string>('project', '');

/** An error answer of the API: what happened, the code to search for, and where in the input. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field?: string,
    readonly position?: number,
  ) {
    super(message);
  }
}

let csrf = '';

export function setCsrf(token: string): void {
  csrf = token;
}

export function csrfHeader(): Record<string, string> {
  return csrf ? { 'X-CSRF-Token': csrf } : {};
}

export type Query = Record<string, string | number | undefined>;

export function withQuery(path: string, query: Query = {}): string {
  const p = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) if (v !== undefined && v !== '') p.set(k, String(v));
  const s = p.toString();
  return s ? `${path}?${s}` : path;
}

export interface Options {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
}

export async function send(method: string, path: string, o: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') Object.assign(headers, csrfHeader());
  if (projectPref.get()) headers['X-Weir-Project'] = projectPref.get();
  if (o.body !== undefined) headers['Content-Type'] = 'application/json';
  let r: Response;
  try {
    r = await fetch(apiURL(withQuery(path, o.query)), {
      method,
      headers,
      body: o.body === undefined ? undefined : JSON.stringify(o.body),
      signal: o.signal,
      credentials: 'same-origin',
    });
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    throw new ApiError(0, 'unreachable', e instanceof Error ? e.message : String(e));
  }
  if (!r.ok) throw await toError(r);
  return r;
}

async function toError(r: Response): Promise<ApiError> {
  const text = await r.text();
  try {
    const e = (JSON.parse(text) as { error?: { code?: string; message?: string; field?: string; position?: number } }).error;
    if (e) return new ApiError(r.status, e.code ?? String(r.status), e.message ?? r.statusText, e.field, e.position);
  } catch {
    // not our envelope: a proxy in between answered
  }
  return new ApiError(r.status, String(r.status), text.slice(0, 300) || r.statusText);
}

export async function json<R>(method: string, path: string, o?: Options): Promise<R> {
  const r = await send(method, path, o);
  return (r.status === 204 ? undefined : await r.json()) as R;
}

export function get<R>(path: string, query?: Query, signal?: AbortSignal): Promise<R> {
  return json<R>('GET', path, { query, signal });
}

export async function text(path: string, signal?: AbortSignal): Promise<string> {
  return (await send('GET', path, { signal })).text();
}
