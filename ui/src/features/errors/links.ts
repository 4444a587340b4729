import { join } from '@/shared/filter/clauses';
import type { Range } from '@/shared/time/range';

/** The range of a page, for a link to another. */
export const times = (r: Range): Range => ({ r: r.r, from: r.from, to: r.to });

/** A filter that is not there adds nothing. */
export const both = (a: string | undefined, b: string | undefined): string | undefined => join([a ?? '', b ?? '']) || undefined;
