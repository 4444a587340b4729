import { text, type Raw } from '@/shared/time/search';

export interface KeysSearch {
  new?: string; // "1" = the dialog is open
  edit?: string; // the id of the key being changed
}

export function keysSearch(raw: Raw): KeysSearch {
  return { new: text(raw, 'new'), edit: text(raw, 'edit') };
}
