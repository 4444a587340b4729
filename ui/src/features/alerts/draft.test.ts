import { expect, it } from 'vitest';
import { body, fresh, problem } from './draft';
import { show } from './measures';

const hook = { kind: 'webhook' as const, url: '', to: '', secret: '', shown: '', signed: false };

it('types shares in percent and sends fractions', () => expect([fresh().threshold, body({ ...fresh(), threshold: '7.5' }).threshold]).toEqual(['5', 0.075]));
it('leaves other measures as they are', () => expect(body({ ...fresh('', 'p95'), threshold: '1500' }).threshold).toBe(1500));
it('keeps the stored address of a channel by sending only its id', () =>
  expect(body({ ...fresh(), channels: [{ ...hook, id: 'c1', shown: 'https://hooks.example.com/…' }] }).channels).toEqual([{ id: 'c1', kind: 'webhook', url: undefined, to: undefined, secret: undefined }]));
it('tells what is missing', () => {
  const d = { ...fresh(), name: 'x' };
  expect([problem({ ...d, name: ' ' }), problem({ ...d, threshold: '' }), problem({ ...d, channels: [hook] }), problem({ ...d, channels: [{ ...hook, id: 'c', shown: 'https://…' }] })]).toEqual(['name', 'threshold', 'channel', undefined]);
});
it('shows values in their units', () => expect([show('error_rate', 0.051), show('p95', 1500), show('cost', 12), show('avg:score.helpful', 0.5), show('p95', null)]).toEqual(['5.1%', '1.50 s', '$12.00', '0.5', '–']));
