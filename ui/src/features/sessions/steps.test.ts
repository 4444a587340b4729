import { expect, it } from 'vitest';
import type { SessionCall } from '@/shared/api/types';
import { gist, steps, totals } from './steps';

const call = (n: number, more: Partial<SessionCall>): SessionCall => ({ trace: `t${n}`, span: `s${n}`, start: '2026-01-01T00:00:00Z', duration_ms: 10, status: 'ok', cost_usd: 0.5, ...more });
const list = steps([
  call(1, { system: 'be good', new_messages: [{ role: 'user', content: 'go' }], answer: { role: 'assistant', content: [{ type: 'tool_use', id: 'u', name: 'ls', input: {} }] }, usage: { input: 10, cache_write: 90, output: 5 } }),
  call(2, { status: 'error', error_text: 'throttled', cost_usd: 0 }),
  call(3, { new_messages: [{ role: 'system', content: 'again' }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'u', content: 'a' }] }], answer: { choices: [{ message: { role: 'assistant', content: 'done\nmore' } }] }, usage: { cache_read: 100, output: 5 } }),
]);

it('names a result after the call of an earlier step', () => expect(list[2]!.fresh[0]!.parts[0]).toMatchObject({ kind: 'result', name: 'ls' }));
it('keeps system text apart', () => expect(list.map((s) => s.system.length)).toEqual([1, 0, 1]));
it('runs the cost on', () => expect(list.map((s) => s.running)).toEqual([0.5, 0.5, 1]));
it('sums up', () => expect(totals(list)).toMatchObject({ cost: 1, busy: 30, share: 0.5, largest: 105, errors: [{ n: 2 }] }));
it('says what a step does', () => expect(list.map(gist)).toEqual(['ls', 'throttled', 'done']));
