import { text, type Raw } from '@/shared/time/search';

export const tabs = ['conversation', 'io', 'attributes', 'cost', 'raw'] as const;
export type Tab = (typeof tabs)[number];

export interface TraceSearch {
  span?: string;
  tab?: Tab;
}

export function traceSearch(raw: Raw): TraceSearch {
  return { span: text(raw, 'span'), tab: tabs.find((t) => t === text(raw, 'tab')) };
}
