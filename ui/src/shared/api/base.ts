/**
 * Where the app and the API live. The server puts a relative <base href> into the page, so that Weir works under any
 * path a proxy invents without being told; everything else is derived from document.baseURI.
 */
export const uiBase = new URL('.', typeof document === 'undefined' ? 'http://127.0.0.1/ui/' : document.baseURI);
export const root = new URL('..', uiBase);

/** Path prefix of the router, without a trailing slash. */
export const routerBase = uiBase.pathname.replace(/\/$/, '') || '/';

export function apiURL(path: string): string {
  return new URL('api/v1' + path, root).toString();
}

/** The public address without a trailing slash, as clients should use it. */
export function publicURL(): string {
  return root.toString().replace(/\/$/, '');
}
