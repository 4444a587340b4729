import { text, type Raw } from '@/shared/time/search';

export interface AlertsSearch {
  new?: '1';
  q?: string; // filter of the new alert
  measure?: string;
  edit?: string;
  sel?: string;
}

export function alertsSearch(raw: Raw): AlertsSearch {
  return { new: text(raw, 'new') === '1' ? '1' : undefined, q: text(raw, 'q'), measure: text(raw, 'measure'), edit: text(raw, 'edit'), sel: text(raw, 'sel') };
}
