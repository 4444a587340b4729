import { describe, expect, it } from 'vitest';
import type { KeyInfo } from '../api/types';
import { changes, draftOf, emptyDraft } from './draft';

const key: KeyInfo = { id: 'k', alias: 'ci', user: 'u', models: ['gpt-4o'], tags: ['a'], expires: '2030-05-06T12:00:00Z', max_budget_usd: 5, budget_period: '1mo', rpm: 60, tpm: 0 };

describe('changes', () => {
  it('makes a key of only what was filled in', () => {
    expect(changes(emptyDraft, { ...emptyDraft, alias: ' ci ', budget: 5, rpm: 60 })).toEqual({ alias: 'ci', max_budget_usd: 5, budget_period: '30d', rpm: 60 });
  });
  it('sends nothing of an untouched key', () => expect(changes(draftOf(key), draftOf(key))).toEqual({}));
  it('clears what was emptied', () => {
    const bare = { ...draftOf(key), alias: '', models: [], tags: [], expires: '', budget: '' as const, rpm: '' as const };
    expect(changes(draftOf(key), bare)).toEqual({ alias: '', models: [], tags: [], expires: '', max_budget_usd: null, budget_period: '', rpm: 0 });
  });
  it('keeps a period the list does not offer', () => expect(changes(draftOf(key), { ...draftOf(key), budget: 7 })).toEqual({ max_budget_usd: 7 }));
  it('lets a key live to the end of its last day', () => {
    expect(changes(emptyDraft, { ...emptyDraft, expires: '2030-05-06' }).expires).toBe(new Date('2030-05-06T23:59:59').toISOString());
  });
});
