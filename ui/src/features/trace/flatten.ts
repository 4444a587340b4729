export interface Attribute {
  path: string;
  value: unknown;
  text: string;
  body?: 'input' | 'output'; // its value was recorded as that body
}

/** The mark that stands in place of an attribute that became a body. */
function bodyOf(v: object): 'input' | 'output' | undefined {
  const b = (v as { $body?: unknown }).$body;
  return b === 'input' || b === 'output' ? b : undefined;
}

/** A tree of attributes as lines of path and value; lists stay whole. */
export function flatten(value: unknown, prefix = ''): Attribute[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return prefix === '' ? [] : [{ path: prefix, value, text: typeof value === 'string' ? value : JSON.stringify(value) ?? '' }];
  }
  const body = bodyOf(value);
  if (body && prefix !== '') return [{ path: prefix.replace(/\.$/, ''), value, text: '', body }];
  return Object.entries(value).flatMap(([k, v]) => flatten(v, prefix === '' ? k : `${prefix}.${k}`));
}

/** How the filter language names an attribute; undefined for a name it has no words for. */
export function fieldOf(group: string, path: string): string | undefined {
  if (/^[\w./-]+$/.test(path)) return `${group}.${path}`;
  return path.includes('`') ? undefined : `${group}.\`${path}\``;
}
