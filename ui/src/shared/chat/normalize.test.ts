import { describe, expect, it } from 'vitest';
import { answer, message, request } from './normalize';

const kinds = (parts: { kind: string }[]) => parts.map((p) => p.kind);

describe('OpenAI chat', () => {
  const body = {
    messages: [
      { role: 'developer', content: 'Be short.' },
      { role: 'user', content: [{ type: 'text', text: '見て' }, { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }] },
      { role: 'assistant', content: null, reasoning_content: 'hm', tool_calls: [{ id: 'c1', function: { name: 'look', arguments: '{"a":1}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: 'seen' },
    ],
    tools: [{ type: 'function', function: { name: 'look', description: 'd', parameters: { type: 'object' } } }],
  };
  const c = request(body)!;
  it('moves leading system text out', () => expect([c.system, c.messages.length]).toEqual([[{ kind: 'text', text: 'Be short.' }], 3]));
  it('reads text and images', () => expect(c.messages[0]!.parts).toEqual([{ kind: 'text', text: '見て' }, { kind: 'image', src: 'data:image/png;base64,AA==', inline: true }]));
  it('parses arguments', () => expect(c.messages[1]!.parts).toEqual([{ kind: 'thinking', text: 'hm' }, { kind: 'call', id: 'c1', name: 'look', args: { a: 1 } }]));
  it('names results after their call', () => expect(c.messages[2]!.parts[0]).toMatchObject({ kind: 'result', name: 'look', error: false }));
  it('lists tools', () => expect(c.tools[0]).toEqual({ name: 'look', description: 'd', schema: { type: 'object' } }));
  it('keeps arguments that are no JSON', () => expect(message({ role: 'assistant', tool_calls: [{ id: 'x', function: { name: 'f', arguments: '{"cut' } }] }).parts[0]).toMatchObject({ args: '{"cut' }));
  it('reads an answer', () => expect(answer({ choices: [{ message: { role: 'assistant', content: 'ok' } }] })).toMatchObject({ role: 'assistant', parts: [{ kind: 'text', text: 'ok' }] }));
});

describe('Anthropic messages', () => {
  const c = request({
    system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral' } }],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'q', cache_control: { type: 'ephemeral' } }] },
      { role: 'assistant', content: [{ type: 'thinking', thinking: 't', signature: 'x' }, { type: 'redacted_thinking', data: 'y' }, { type: 'tool_use', id: 'u1', name: 'run', input: { cmd: 'ls' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'u1', is_error: true, content: [{ type: 'text', text: 'no' }] }] },
      { role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'BB' } }, { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: '' } }] },
    ],
  })!;
  it('marks cache points', () => expect(c.messages.map((m) => m.cached)).toEqual([true, undefined, undefined, undefined]));
  it('reads thinking and calls', () => expect(kinds(c.messages[1]!.parts)).toEqual(['thinking', 'thinking', 'call']));
  it('gives results to the tool', () => expect(c.messages[2]).toMatchObject({ role: 'tool', parts: [{ name: 'run', error: true, parts: [{ text: 'no' }] }] }));
  it('reads media', () => expect(c.messages[3]!.parts).toMatchObject([{ src: 'data:image/jpeg;base64,BB' }, { kind: 'document', name: 'a.pdf', mime: 'application/pdf' }]));
  it('reads an answer', () => expect(kinds(answer({ role: 'assistant', content: [{ type: 'text', text: 'a' }] })!.parts)).toEqual(['text']));
});

describe('Bedrock Converse', () => {
  const c = request({
    system: [{ text: 's' }, { cachePoint: { type: 'default' } }],
    messages: [
      { role: 'assistant', content: [{ reasoningContent: { reasoningText: { text: 'r' } } }, { toolUse: { toolUseId: 't', name: 'f', input: {} } }] },
      { role: 'user', content: [{ toolResult: { toolUseId: 't', status: 'error', content: [{ json: { a: 1 } }] } }, { cachePoint: { type: 'default' } }] },
    ],
    toolConfig: { tools: [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object' } } } }, { cachePoint: { type: 'default' } }] },
  })!;
  it('leaves cache points out of the parts', () => expect([c.system.length, c.messages[1]!.parts.length, c.messages[1]!.cached]).toEqual([1, 1, true]));
  it('reads reasoning and tools', () => expect([kinds(c.messages[0]!.parts), c.tools.map((t) => t.name)]).toEqual([['thinking', 'call'], ['f']]));
  it('names and marks results', () => expect(c.messages[1]!.parts[0]).toMatchObject({ name: 'f', error: true }));
  it('reads an answer', () => expect(answer({ output: { message: { role: 'assistant', content: [{ text: 'a' }] } } })!.parts).toEqual([{ kind: 'text', text: 'a' }]));
});

it('keeps what it does not know', () => expect(message({ role: 'user', content: [{ type: 'novel', x: 1 }] }).parts).toEqual([{ kind: 'raw', value: { type: 'novel', x: 1 } }]));
it.each([null, 3, 'text', {}, { messages: 1 }])('finds no conversation in %j', (v) => expect(request(v)).toBeUndefined());
