import type { Span } from '@/shared/api/types';
import { isObj } from '@/shared/chat/normalize';

/** What can be changed before a call is sent again, as typed; undefined system: as it was. */
export interface Draft {
  model: string;
  temperature: string;
  top_p: string;
  max_tokens: string;
  system?: string;
}

const params = ['temperature', 'top_p', 'max_tokens'] as const;

export function draftOf(span: Span): Draft {
  const p = isObj(span.params) ? span.params : {};
  const text = (v: unknown) => (typeof v === 'number' ? String(v) : '');
  return { model: span.model ?? '', temperature: text(p.temperature), top_p: text(p.top_p), max_tokens: text(p.max_tokens ?? p.max_completion_tokens) };
}

export interface Changes {
  model?: string;
  params?: Record<string, number | null>;
  prompt?: { system: string };
}

/** Only what differs from the call as it was; an emptied parameter is null, which takes it out. */
export function paramsOf(draft: Draft, before: Draft, system: string): Changes {
  const out: Changes = {};
  if (draft.model.trim() !== '' && draft.model !== before.model) out.model = draft.model.trim();
  for (const k of params) if (draft[k] !== before[k]) (out.params ??= {})[k] = draft[k] === '' ? null : Number(draft[k]);
  if (draft.system !== undefined && draft.system !== system) out.prompt = { system: draft.system };
  return out;
}
