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
  const field = fields.find((f) => f.name === e.field);
  switch (e.want) {
    case 'field':
      return fields.filter((f) => fits(f.name)).map((f) => ({ insert: f.name + ' ', label: f.name, hint: f.type }));
    case 'op':
      return (field?.ops ?? ['=', '!=']).filter(fits).map((o) => ({ insert: o + (o === 'exists' ? '' : ' '), label: o }));
    case 'value': {
      const known = (field?.values ?? []).map((value) => ({ value, count: undefined as number | undefined }));
      return (known.length > 0 ? known : values)
        .filter((v) => fits(v.value))
        .map((v) => ({ insert: quote(v.value) + ' ', label: v.value, hint: v.count === undefined ? undefined : String(v.count) }));
    }
    case 'join':
      return words.filter(fits).map((w) => ({ insert: w + ' ', label: w }));
  }
}

export const textual = (type: string | undefined) => type === 'text' || type === 'enum' || type === 'list' || type === 'map';
