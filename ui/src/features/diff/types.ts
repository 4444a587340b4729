import type { TraceRow } from '@/shared/api/types';

export type Op = 'same' | 'changed' | 'added' | 'removed' | 'moved';

export interface Side {
  trace: string;
  span?: string;
  root: TraceRow;
  name: string;
  start: string;
  duration_ms: number;
  spans: number;
  calls: number;
  errors: number;
  tokens: number;
  cost_usd: number;
  models?: string[] | null;
  session?: string;
  status?: string;
}

export interface Delta {
  duration_ms: number;
  cost_usd: number;
  tokens: number;
  spans?: number;
  calls?: number;
  errors?: number;
}

/** One difference within a step. Words are pairs of an operation and a text; "…" stands for so many equal characters. */
export interface Change {
  what: string;
  path: string;
  role?: string;
  op: string;
  before?: unknown;
  after?: unknown;
  words?: (string[] | null)[] | null;
}

export interface Row {
  op: string;
  depth: number;
  a?: TraceRow | null;
  b?: TraceRow | null;
  delta: Delta;
  subtree?: Delta | null;
  parts?: Change[] | null;
  unread?: boolean;
}

export interface TraceDiff {
  a: Side;
  b: Side;
  delta: Delta;
  counts?: Record<string, number>;
  rows: Row[];
  notes?: string[] | null;
}
