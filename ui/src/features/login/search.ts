import { text, type Raw } from '@/shared/time/search';

export interface LoginSearch {
  token?: string;
  next?: string;
}

/** `next` may only lead into the app: it must be a path of its own. */
export function loginSearch(raw: Raw): LoginSearch {
  const next = text(raw, 'next');
  return { token: text(raw, 'token'), next: next && /^\/(?![/\\])/.test(next) ? next : undefined };
}
