import type { Alert, AlertChannel } from '@/shared/api/observe';
import { factor, measureOf } from './measures';

export interface ChannelDraft {
  id?: string;
  kind: 'webhook' | 'slack' | 'email';
  url: string;
  to: string;
  secret: string;
  shown: string; // what of a stored URL may be seen
  signed: boolean;
}

export interface Draft {
  name: string;
  enabled: boolean;
  filter: string;
  measure: string;
  group_by: string;
  op: '>' | '<';
  threshold: string; // as typed: percent for shares
  window: string;
  every: string;
  min_calls: number;
  no_data: 'ok' | 'alert';
  cooldown: string;
  channels: ChannelDraft[];
}

export const fresh = (filter = '', measure = 'error_rate'): Draft => ({
  name: '', enabled: true, filter, measure, group_by: '', op: '>', threshold: typed(measure, measureOf(measure).start), window: '5m', every: '1m', min_calls: 0, no_data: 'ok', cooldown: '1h', channels: [],
});

export const typed = (measure: string, v: number) => String(Number((v * factor(measure)).toPrecision(12)));

const stored = (c: AlertChannel): ChannelDraft => ({ id: c.id, kind: c.kind, url: '', to: c.to, secret: '', shown: c.url, signed: c.signed });

export function draftOf(a: Alert): Draft {
  return {
    name: a.name, enabled: a.enabled, filter: a.filter, measure: a.measure, group_by: a.group_by, op: a.op, threshold: typed(a.measure, a.threshold), window: a.window, every: a.every,
    min_calls: a.min_calls, no_data: a.no_data, cooldown: a.cooldown, channels: a.channels.map(stored),
  };
}

export function thresholdOf(d: Draft): number {
  return d.threshold.trim() === '' ? NaN : Number(d.threshold) / factor(d.measure);
}

/** What the server is sent; without channels it can be previewed before they are complete. */
export function body(d: Draft, channels = true) {
  const n = thresholdOf(d);
  return {
    name: d.name.trim() || (channels ? '' : '…'), enabled: d.enabled, filter: d.filter, measure: d.measure, group_by: d.group_by, op: d.op, threshold: Number.isFinite(n) ? n : 0, window: d.window, every: d.every,
    min_calls: d.min_calls, no_data: d.no_data, cooldown: d.cooldown,
    ...(channels ? { channels: d.channels.map(({ id, kind, url, to, secret }) => ({ id, kind, url: url || undefined, to: to || undefined, secret: secret || undefined })) } : {}),
  };
}

export function problem(d: Draft): 'name' | 'threshold' | 'channel' | undefined {
  if (d.name.trim() === '') return 'name';
  if (!Number.isFinite(thresholdOf(d))) return 'threshold';
  if (d.channels.some((c) => (c.kind === 'email' ? c.to.trim() === '' : c.url.trim() === '' && !c.shown))) return 'channel';
  return undefined;
}
