import type { Key } from '@/shared/i18n';

/** Statements to begin with. */
export const examples: { title: Key; sql: string }[] = [
  { title: 'sql.ex.models', sql: "SELECT model, count(*) AS calls, sum(cost_usd) AS cost, round(quantile_cont(duration_ms, 0.95)) AS p95_ms\nFROM spans\nWHERE kind = 'generation' AND start_time > now()::TIMESTAMP - INTERVAL 7 DAY\nGROUP BY model\nORDER BY cost DESC" },
  { title: 'sql.ex.hours', sql: "SELECT date_trunc('hour', start_time) AS hour, count(*) AS calls, count(*) FILTER (WHERE status = 'error') AS errors\nFROM spans\nWHERE kind = 'generation'\nGROUP BY hour\nORDER BY hour DESC\nLIMIT 48" },
  { title: 'sql.ex.slow', sql: 'SELECT start_time, trace_id, name, model, duration_ms\nFROM spans\nORDER BY duration_ms DESC\nLIMIT 20' },
];
