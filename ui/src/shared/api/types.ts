import type { Buckets } from '../format/usage';

/** The shapes of /api/v1 the pages read. checks.ts holds them against the types generated from the OpenAPI document. */

export interface Usage extends Buckets {
  reasoning?: number;
  estimated?: boolean;
}

export interface Me {
  means: string;
  role: string;
  user?: { id: string; email?: string; name?: string };
  project: { id: string; name: string };
  projects: { id: string; name: string }[];
  csrf: string;
  local: boolean;
  version: string;
  demo: boolean;
}

export interface TraceRow {
  trace: string;
  id: string;
  name: string;
  kind: string;
  start: string;
  duration_ms: number;
  first_token_ms?: number | null;
  status: string;
  http?: number;
  error_type?: string;
  error_text?: string;
  model?: string;
  upstream_model?: string;
  provider?: string;
  deployment?: string;
  usage?: Usage;
  cost_usd?: number;
  cost_source?: string;
  user?: string;
  email?: string;
  team?: string;
  team_alias?: string;
  key?: string;
  key_alias?: string;
  end_user?: string;
  session?: string;
  tags?: string[] | null;
  client?: string;
  stream?: boolean;
  cache_hit?: boolean;
  input_preview?: string;
  output_preview?: string;
  source?: string; // "" for calls through the gateway, else how the span came in
  parent?: string;
  service?: string;
  environment?: string;
  release?: string;
  trace_name?: string;
  covered?: boolean; // another span accounts for its cost and tokens
  prompt?: { name: string; version?: string | number } | null;
  scores?: { name: string; value?: number | null; text?: string }[] | null;
  replays?: string;
  experiment?: string;
}

export interface Try {
  deployment: string;
  model?: string;
  start_ms: number;
  took_ms: number;
  http?: number;
  error?: string;
}

export interface Cost {
  total_usd: number;
  input_usd?: number;
  cache_read_usd?: number;
  cache_write_usd?: number;
  output_usd?: number;
  source?: string;
  book?: string;
}

export interface BodyInfo {
  form?: string;
  size?: number;
  messages?: number;
  new?: number;
  preview?: string;
}

export interface SpanEvent {
  name: string;
  time?: string;
  attributes?: unknown;
}

export interface SpanLink {
  trace: string;
  span: string;
  attributes?: unknown;
}

export interface Span extends TraceRow {
  scope?: string;
  resource?: unknown;
  events?: SpanEvent[] | null;
  links?: SpanLink[] | null;
  mapping?: string | number;
  end?: string;
  params?: unknown;
  metadata?: unknown;
  attributes?: unknown;
  tries?: Try[] | null;
  session_source?: string;
  upstream_id?: string;
  cost?: Cost | null;
  finish?: string;
  error_body?: string;
  request_id?: string;
  user_agent?: string;
  ip?: string;
  dialect?: string;
  operation?: string;
  client_version?: string;
  queue_ms?: number;
  input?: BodyInfo | null;
  output?: BodyInfo | null;
}

export interface Trace {
  trace: string;
  truncated?: boolean; // it has more spans than were asked for
  spans: Span[];
  session?: string;
  total_cost_usd?: number;
  usage?: Usage;
}

export interface Page<R> {
  items: R[];
  next_cursor?: string;
  partial?: boolean;
  total?: number;
}

export interface SessionRow {
  session: string;
  name?: string;
  client?: string;
  user?: string;
  email?: string;
  key_alias?: string;
  start: string;
  end: string;
  calls: number;
  errors: number;
  cost_usd: number;
  usage: Usage;
  models?: string[] | null;
  cache_read_share?: number;
  traces?: number;
  spans?: number;
  scores?: { name: string; avg: number | null; count: number }[];
}

export interface SessionCall {
  trace: string;
  span: string;
  start: string;
  duration_ms: number;
  model?: string;
  status: string;
  error_text?: string;
  usage?: Usage;
  cost_usd?: number;
  running_cost_usd?: number;
  finish?: string;
  new_messages?: unknown[] | null;
  answer?: unknown;
  dialect?: string;
  system?: unknown;
  tools_count?: number;
  first_token_ms?: number | null;
  http?: number;
  bodies_missing?: boolean;
}


/** A session with a page of its calls. */
export interface SessionDetail extends Omit<SessionRow, 'calls'> {
  calls?: number;
  steps: SessionCall[];
  next_cursor?: string;
  partial?: boolean;
}

export interface Totals {
  calls: number;
  errors: number;
  cost_usd: number;
  input: number;
  cache_read: number;
  cache_write: number;
  output: number;
  p50_ms?: number | null;
  p95_ms?: number | null;
  ttft_p50_ms?: number | null;
  ttft_p95_ms?: number | null;
}

export interface Point extends Totals {
  t: string;
}

export interface Series {
  group: string;
  other?: boolean; // everything beyond the limit
  points: Point[];
  totals: Totals;
}

export interface Aggregate {
  interval_ms: number;
  series: Series[];
  totals: Totals;
  previous?: Totals;
}

export interface FieldInfo {
  name: string;
  type: string;
  ops?: string[];
  values?: string[];
  groupable?: boolean;
  sortable?: boolean;
}

export interface FacetValue {
  value: string;
  count: number;
}

export interface KeyInfo {
  id: string;
  name?: string;
  alias?: string;
  user?: string;
  email?: string;
  team?: string;
  team_alias?: string;
  models?: string[] | null;
  expires?: string | null;
  blocked?: boolean;
  max_budget_usd?: number | null;
  budget_period?: string;
  budget_reset_at?: string | null;
  spend_usd?: number;
  rpm?: number | null;
  tpm?: number | null;
  tags?: string[] | null;
  created?: string;
  last_used?: string | null;
  origin?: string;
}

/** What of a key can be set; on a change "", null, 0 and [] clear. */
export interface KeyFields {
  alias?: string;
  user_id?: string;
  email?: string;
  team_id?: string;
  models?: string[];
  expires?: string;
  max_budget_usd?: number | null;
  budget_period?: string;
  rpm?: number;
  tpm?: number;
  tags?: string[];
}

export interface Team {
  id: string;
  alias: string;
}

export interface Deployment {
  id: string;
  provider: string;
  model: string;
  region?: string;
  base_url?: string;
  health: string;
  last_error?: string;
  calls_1h?: number;
  errors_1h?: number;
  p50_ms?: number | null;
}

export interface Model {
  name: string;
  pattern?: boolean;
  deployments?: Deployment[] | null;
  max_input?: number;
  max_output?: number;
  abilities?: { [ability: string]: boolean } | null;
  prices?:
    | {
        input_per_mtok?: number;
        output_per_mtok?: number;
        cache_read_per_mtok?: number;
        cache_write_per_mtok?: number;
        cache_write_1h_per_mtok?: number;
        book?: string;
      }
    | null;
  origin?: string;
}

export interface System {
  version: string;
  uptime_s: number;
  ready: { ready: boolean; degraded?: boolean; checks: { name: string; ok: boolean; detail?: string }[] };
  queue?: { depth: number; capacity: number };
  ingest?: { spans_per_s: number; calls: number; accepted: number; rejected: number; refused: number; in_flight: number; capacity: number };
  index?: { lag: number; position: number; committed: number; rows?: number; open?: boolean; rebuilding?: boolean; error?: string };
  fulltext?: { ready: boolean; lag: number; held: number; error?: string };
  errors?: Record<string, number>;
  telemetry?: { exporting: boolean; sent: number; failed: number };
  stores?: { name: string; bytes: number }[] | null;
  disk?: { free: number; total: number };
  log_levels?: Record<string, string> | null;
}

export interface ConnectInfo {
  base_url: string;
  openai_url?: string;
  bedrock_url?: string;
  example_model?: string;
}
