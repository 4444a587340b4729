import { describe, expect, it } from 'vitest';
import { canonicalInput, canonicalMessage, canonicalPart, resultParts, type Canonical, type CanonicalMessage } from './canonical';

const said = (role: string, text: string): CanonicalMessage => ({ role, parts: [{ type: 'text', text }] });
const conv = (messages: CanonicalMessage[] | null, new_from = 0): Canonical => ({ form: 'messages', new_from, input: { messages, tools: [{ name: 'f' }] }, output: {} });

describe('parts', () => {
  it.each([
    [{ type: 'text', text: 'x' }, { kind: 'text', text: 'x' }],
    [{ type: 'thinking', text: '' }, { kind: 'thinking', text: '', redacted: true }],
    [{ type: 'tool_call', id: '1', name: 'f', arguments: { a: 1 } }, { kind: 'call', id: '1', name: 'f', args: { a: 1 } }],
    [{ type: 'image', mime: 'image/jpeg', data: 'AA' }, { kind: 'image', src: 'data:image/jpeg;base64,AA', inline: true }],
    [{ type: 'image', url: 'https://example.com/a.png' }, { kind: 'image', src: 'https://example.com/a.png', inline: false }],
    [{ type: 'audio', mime: 'audio/mpeg', data: 'AA' }, { kind: 'audio', src: 'data:audio/mpeg;base64,AA', mime: 'audio/mpeg', name: '', inline: true }],
    [{ type: 'file', name: 'a.pdf', mime: 'application/pdf' }, { kind: 'document', name: 'a.pdf', mime: 'application/pdf', text: undefined, src: undefined }],
    [{ type: 'other', value: 3 }, { kind: 'raw', value: 3 }],
    [{ type: 'novel', x: 1 }, { kind: 'raw', value: { type: 'novel', x: 1 } }],
  ])('%j', (part, want) => expect(canonicalPart(part)).toEqual(want));
  it('shows results as text, parts or a value', () => {
    expect(resultParts('x')).toEqual([{ kind: 'text', text: 'x' }]);
    expect(resultParts([{ type: 'text', text: 'x' }])).toEqual([{ kind: 'text', text: 'x' }]);
    expect(resultParts([{ type: 'order', id: 1 }])).toEqual([{ kind: 'raw', value: [{ type: 'order', id: 1 }] }]);
    expect(resultParts(null)).toEqual([]);
  });
});

describe('input', () => {
  it('sets system messages at the front apart, and counts the new ones without them', () => {
    const c = canonicalInput(conv([said('system', 's'), said('user', 'a'), said('assistant', 'b'), said('user', 'c')], 3));
    expect([c.system.length, c.messages.map((m) => m.role), c.newFrom]).toEqual([1, ['user', 'assistant', 'user'], 2]);
  });
  it('leaves later system messages in their place', () => expect(canonicalInput(conv([said('user', 'a'), said('system', 's')])).messages).toHaveLength(2));
  it('copes with nothing', () => expect(canonicalInput(conv(null))).toMatchObject({ system: [], messages: [], newFrom: 0, tools: [{ name: 'f', description: '', schema: {} }] }));
  it('names results after their call', () => {
    const c = canonicalInput(conv([{ role: 'assistant', parts: [{ type: 'tool_call', id: '1', name: 'look', arguments: {} }] }, { role: 'tool', parts: [{ type: 'tool_result', id: '1', result: 'ok' }] }]));
    expect(c.messages[1]!.parts[0]).toMatchObject({ name: 'look' });
  });
  it('takes unknown roles for users', () => expect(canonicalMessage({ role: 'critic', name: 'c', parts: null })).toEqual({ role: 'user', name: 'c', parts: [] }));
});
