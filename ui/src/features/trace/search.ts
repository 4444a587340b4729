import { text, type Raw } from '@/shared/time/search';

export const tabs = ['conversation', 'io', 'attributes', 'cost', 'scores', 'raw'] as const;
export type Tab = (typeof tabs)[number];

export const views = ['tree', 'timeline', 'graph'] as const;
export type View = (typeof views)[number];

export interface TraceSearch {
  span?: string;
  tab?: Tab;
  view?: View;
}

export function traceSearch(raw: Raw): TraceSearch {
  return { span: text(raw, 'span'), tab: tabs.find((t) => t === text(raw, 'tab')), view: views.find((v) => v === text(raw, 'view')) };
}
