import type { FieldInfo } from '../api/types';
import { type Expect, quote } from './clauses';

export interface Suggestion {
  insert: string;
  label: string;
  hint?: string;
}

const words = ['and', 'or'];

/** What fits at the cursor: fields, a field's operators, values (from the field or the server's facets), or a join. */
export function suggest(e: Expect, fields: FieldInfo[], values: { value: string; count?: number }[]): Suggestion[] {
  const p = e.prefix.toLowerCase();
  const fits = (s: string) => s.toLowerCase().includes(p);
  const field = fields.find((f) => f.name === e.field) ?? fields.find((f) => f.type === 'map' && e.field?.startsWith(f.name + '.'));
  switch (e.want) {
    case 'field':
      return byPrefix(fields.filter((f) => fits(f.name)), p).map((f) => (f.type === 'map' ? { insert: f.name + '.', label: f.name + '.…', hint: f.type } : { insert: f.name + ' ', label: f.name, hint: f.type }));
    case 'op':
      return (field?.ops ?? ['=', '!=']).filter(fits).map((o) => ({ insert: o + (o === 'exists' ? '' : ' '), label: o }));
    case 'value': {
      const known = (field?.values ?? []).map((value) => ({ value, count: undefined as number | undefined }));
      const times = field?.type === 'time' ? ages.map((value) => ({ insert: value + ' ', label: value })).filter((x) => fits(x.label)) : [];
      if (times.length > 0) return times;
      return (known.length > 0 ? known : values)
        .filter((v) => fits(v.value))
        .map((v) => ({ insert: quote(v.value) + ' ', label: v.value, hint: v.count === undefined ? undefined : String(v.count) }));
    }
    case 'join':
      return words.filter(fits).map((w) => ({ insert: w + ' ', label: w }));
  }
}

const ages = ['-15m', '-1h', '-24h', '-7d', 'now'];

/** Names that begin with what is typed stand before those that only contain it. */
function byPrefix(fields: FieldInfo[], p: string): FieldInfo[] {
  return fields.toSorted((a, b) => Number(b.name.startsWith(p)) - Number(a.name.startsWith(p)));
}

export interface PathAt {
  field: string;
  prefix: string;
}

/** The field whose paths may be typed at the cursor: metadata.ti wants paths of metadata that begin with ti. */
export function pathAt(e: Expect): PathAt | undefined {
  const m = e.want === 'field' ? /^(metadata|attributes|resource|score)\.(.*)$/.exec(e.prefix) : null;
  return m ? { field: m[1]!, prefix: m[2]! } : undefined;
}

const plain = /^[A-Za-z0-9_.-]+$/;

export function suggestPaths(at: PathAt, paths: { path: string; count: number }[]): Suggestion[] {
  return paths
    .filter((x) => plain.test(x.path) && x.path.toLowerCase().startsWith(at.prefix.toLowerCase()))
    .slice(0, 20)
    .map((x) => ({ insert: `${at.field}.${x.path} `, label: `${at.field}.${x.path}`, hint: String(x.count) }));
}

export const textual = (type: string | undefined) => type === 'text' || type === 'enum' || type === 'list' || type === 'map';
