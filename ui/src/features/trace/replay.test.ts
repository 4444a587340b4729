import { expect, it } from 'vitest';
import type { Span } from '@/shared/api/types';
import { draftOf, paramsOf } from './replay';

const span = { trace: 't', id: 's', name: 'chat', kind: 'generation', status: 'ok', start: '', duration_ms: 1, model: 'small', params: { temperature: 0.2, max_completion_tokens: 100, stop: ['x'] } } satisfies Span;
const before = draftOf(span);

it('reads what can be changed', () => expect(before).toEqual({ model: 'small', temperature: '0.2', top_p: '', max_tokens: '100' }));
it('sends nothing that was not changed', () => expect(paramsOf({ ...before, system: 'be brief' }, before, 'be brief')).toEqual({}));
it('sends what was changed, and takes out what was emptied', () =>
  expect(paramsOf({ ...before, model: ' big ', temperature: '', top_p: '0.5', system: '' }, before, 'be brief')).toEqual({ model: 'big', params: { temperature: null, top_p: 0.5 }, prompt: { system: '' } }));
it('copes without parameters', () => expect(draftOf({ ...span, params: null, model: undefined })).toEqual({ model: '', temperature: '', top_p: '', max_tokens: '' }));
