import { expect, it } from 'vitest';
import type { TraceSummary } from '@/shared/api/observe';
import { moved } from '@/shared/ui/order';
import { filterOf, markOf, ofTrace, scoreOf } from './rows';

const row = { trace: 't1', id: 's1', name: 'ask', kind: 'agent', start: '2026-01-01T00:00:00Z', duration_ms: 5, status: 'ok', scores: [{ name: 'helpful', value: 0.12345, text: '' }, { name: 'tone', value: 0, text: 'warm' }] };
const whole = { trace: 't1', root: row, name: 'question', start: row.start, end: row.start, duration_ms: 90, spans: 4, calls: 2, errors: 1, cost_usd: 0.5, usage: {}, models: ['a', 'b'], services: ['shop'], session: '', user: 'u', tags: [], scores: row.scores, status: 'ok' } as unknown as TraceSummary;

it('shows a trace as its root with the figures of the whole', () => expect(ofTrace(whole)).toMatchObject({ id: 's1', name: 'question', duration_ms: 90, cost_usd: 0.5, model: 'a, b', service: 'shop', user: 'u' }));
it('marks a trace in which something failed', () => expect([markOf(ofTrace(whole)), markOf(row), markOf({ ...row, status: 'canceled' }), markOf({ ...row, status: 'running' })]).toEqual(['bad', undefined, 'warn', undefined]));
it('selects marked traces by their ids', () => expect(filterOf(['t1.s1', 't1.s2', 't2.s1'], 'traces')).toBe('trace in ("t1", "t2")'));
it('selects marked spans, also where ids repeat between traces', () => expect(filterOf(['t1.s1', 't2.s2'], 'spans')).toBe('trace in ("t1", "t2") and id in ("s1", "s2")'));
it('shows scores as numbers or words', () => expect([scoreOf(row, 'helpful'), scoreOf(row, 'tone'), scoreOf(row, 'none')]).toEqual(['0.123', 'warm', '']));
it('moves a column to where another is, and keeps hidden ones', () => expect(moved(['a', 'b', 'c'], 'c', 'a', ['a', 'b', 'c', 'hidden'])).toEqual(['c', 'a', 'b', 'hidden']));
it('moves a column to the right as well', () => expect(moved(['a', 'b', 'c'], 'a', 'c', ['a', 'b', 'c'])).toEqual(['b', 'c', 'a']));
