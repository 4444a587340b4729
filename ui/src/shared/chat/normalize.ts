import type { Conversation, Message, Part, Role, ToolDef } from './types';

/**
 * Reads requests and answers of OpenAI chat, Anthropic messages and Bedrock Converse. The dialect is told by the shape
 * of each block, not by a label, since recorded bodies of foreign tools mix them.
 */

type Obj = Record<string, unknown>;

export function isObj(v: unknown): v is Obj {
  return typeof v === 'object' && v !== null && !Array.isArray(v);
}

const str = (v: unknown): string => (typeof v === 'string' ? v : '');
const list = (v: unknown): unknown[] => (Array.isArray(v) ? v : []);

/** JSON text as its value; anything else unchanged. */
export function parsed(v: unknown): unknown {
  if (typeof v !== 'string') return v ?? {};
  if (v.trim() === '') return {};
  try {
    return JSON.parse(v) as unknown;
  } catch {
    return v;
  }
}

function dataURL(mime: string, base64: unknown): Part {
  return { kind: 'image', src: `data:${mime || 'image/png'};base64,${str(base64)}`, inline: true };
}

function imageURL(url: string): Part {
  return { kind: 'image', src: url, inline: url.startsWith('data:') };
}

/** Content of any form: a string, one block, or a list of blocks. */
export function content(v: unknown): Part[] {
  if (v === null || v === undefined || v === '') return [];
  if (typeof v === 'string') return [{ kind: 'text', text: v }];
  if (Array.isArray(v)) return v.flatMap((b) => block(b));
  return block(v);
}

function block(b: unknown): Part[] {
  if (typeof b === 'string') return [{ kind: 'text', text: b }];
  if (!isObj(b)) return [{ kind: 'raw', value: b }];
  const p = typed(b) ?? converse(b);
  if (p === 'mark') return [];
  return p ? [p] : [{ kind: 'raw', value: b }];
}

/** Blocks with a "type": OpenAI and Anthropic. */
function typed(b: Obj): Part | undefined {
  switch (b.type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return { kind: 'text', text: str(b.text) };
    case 'refusal':
      return { kind: 'text', text: str(b.refusal) };
    case 'thinking':
    case 'reasoning':
      return { kind: 'thinking', text: str(b.thinking) || str(b.text) || str(b.reasoning) };
    case 'redacted_thinking':
      return { kind: 'thinking', text: '', redacted: true };
    case 'tool_use':
    case 'server_tool_use':
      return { kind: 'call', id: str(b.id), name: str(b.name), args: b.input ?? {} };
    case 'tool_result':
      return { kind: 'result', id: str(b.tool_use_id), parts: content(b.content), error: b.is_error === true };
    case 'image_url':
      return imageURL(isObj(b.image_url) ? str(b.image_url.url) : str(b.image_url));
    case 'image':
      return anthropicImage(b);
    case 'document':
    case 'file':
      return file(b);
  }
  return undefined;
}

function anthropicImage(b: Obj): Part | undefined {
  const s = b.source;
  if (!isObj(s)) return undefined;
  return s.type === 'base64' ? dataURL(str(s.media_type), s.data) : imageURL(str(s.url));
}

function file(b: Obj): Part {
  const s = isObj(b.source) ? b.source : isObj(b.file) ? b.file : {};
  const name = str(b.title) || str(s.filename) || str(s.url) || str(s.file_id);
  return { kind: 'document', name, mime: str(s.media_type), text: s.type === 'text' ? str(s.data) : undefined };
}

/** Blocks named by their only key: Bedrock Converse. */
function converse(b: Obj): Part | 'mark' | undefined {
  if (typeof b.text === 'string') return { kind: 'text', text: b.text };
  if (isObj(b.toolUse)) return { kind: 'call', id: str(b.toolUse.toolUseId), name: str(b.toolUse.name), args: b.toolUse.input ?? {} };
  if (isObj(b.toolResult)) {
    const r = b.toolResult;
    return { kind: 'result', id: str(r.toolUseId), parts: content(r.content), error: r.status === 'error' };
  }
  if (isObj(b.reasoningContent)) {
    const r = b.reasoningContent;
    if (r.redactedContent !== undefined) return { kind: 'thinking', text: '', redacted: true };
    return { kind: 'thinking', text: isObj(r.reasoningText) ? str(r.reasoningText.text) : '' };
  }
  if (isObj(b.image)) {
    const s = isObj(b.image.source) ? b.image.source : {};
    return dataURL(`image/${str(b.image.format) || 'png'}`, s.bytes);
  }
  if (isObj(b.document)) return { kind: 'document', name: str(b.document.name), mime: str(b.document.format) };
  if (b.json !== undefined) return { kind: 'text', text: JSON.stringify(b.json, null, 2) };
  if (b.cachePoint !== undefined) return 'mark';
  return undefined;
}

function marked(v: unknown): boolean {
  return list(v).some((b) => isObj(b) && (b.cache_control != null || b.cachePoint != null));
}

const roles: Record<string, Role> = {
  system: 'system', developer: 'system', user: 'user', human: 'user', assistant: 'assistant', ai: 'assistant', model: 'assistant',
  tool: 'tool', function: 'tool',
};

/** One message of a request, or the message of an answer. */
export function message(m: unknown): Message {
  if (!isObj(m)) return { role: 'user', parts: content(m) };
  const role = roles[str(m.role)] ?? 'user';
  if (role === 'tool') {
    const error = m.is_error === true;
    return { role, parts: [{ kind: 'result', id: str(m.tool_call_id), name: str(m.name), parts: content(m.content), error }] };
  }
  const parts: Part[] = [];
  const thinking = str(m.reasoning_content) || str(m.reasoning);
  if (thinking && list(m.thinking_blocks).length === 0) parts.push({ kind: 'thinking', text: thinking });
  parts.push(...content(m.thinking_blocks), ...content(m.content), ...calls(m));
  if (typeof m.refusal === 'string' && m.refusal) parts.push({ kind: 'text', text: m.refusal });
  return { role: toolRole(role, parts), parts, cached: marked(m.content) || undefined };
}

function calls(m: Obj): Part[] {
  const out: Part[] = list(m.tool_calls).map((c) => {
    const f = isObj(c) && isObj(c.function) ? c.function : {};
    return { kind: 'call', id: isObj(c) ? str(c.id) : '', name: str(f.name), args: parsed(f.arguments) };
  });
  if (isObj(m.function_call)) out.push({ kind: 'call', id: '', name: str(m.function_call.name), args: parsed(m.function_call.arguments) });
  return out;
}

/** A user message that only carries tool results is the tool speaking. */
function toolRole(role: Role, parts: Part[]): Role {
  return role === 'user' && parts.length > 0 && parts.every((p) => p.kind === 'result') ? 'tool' : role;
}

function toolDef(t: unknown): ToolDef {
  const o = isObj(t) ? t : {};
  const f = isObj(o.function) ? o.function : isObj(o.toolSpec) ? o.toolSpec : o;
  const schema = f.parameters ?? f.input_schema ?? (isObj(f.inputSchema) ? (f.inputSchema.json ?? f.inputSchema) : undefined);
  return { name: str(f.name) || str(o.type), description: str(f.description), schema: schema ?? {} };
}

/** A request body. Leading system messages move to `system`, as the other dialects have it. */
export function request(body: unknown): Conversation | undefined {
  if (Array.isArray(body) && body.some((m) => isObj(m) && 'role' in m)) return request({ messages: body });
  if (!isObj(body) || !Array.isArray(body.messages)) return undefined;
  const messages = body.messages.map(message);
  const system = content(body.system);
  while (messages[0]?.role === 'system') system.push(...messages.shift()!.parts);
  const tools = list(body.tools ?? (isObj(body.toolConfig) ? body.toolConfig.tools : undefined))
    .map(toolDef)
    .filter((t) => t.name !== '');
  return { system, messages: named(messages), tools };
}

/** An answer body: its message, or undefined if it has none. */
export function answer(body: unknown): Message | undefined {
  if (!isObj(body)) return typeof body === 'string' ? { role: 'assistant', parts: content(body) } : undefined;
  const choice = list(body.choices)[0];
  if (isObj(choice)) return assistant(choice.message ?? choice.delta ?? choice.text);
  if (isObj(body.output) && isObj(body.output.message)) return assistant(body.output.message);
  if (Array.isArray(body.content) || body.role === 'assistant') return assistant(body);
  return undefined;
}

function assistant(m: unknown): Message {
  return { ...message(m), role: 'assistant' };
}

/** Gives each tool result the name of the call it answers. */
export function named(messages: Message[]): Message[] {
  const names = new Map<string, string>();
  for (const m of messages)
    for (const p of m.parts) {
      if (p.kind === 'call' && p.id) names.set(p.id, p.name);
      if (p.kind === 'result' && !p.name) p.name = names.get(p.id);
    }
  return messages;
}

export function plain(parts: Part[]): string {
  return parts.map((p) => (p.kind === 'text' ? p.text : p.kind === 'result' ? plain(p.parts) : '')).filter(Boolean).join('\n');
}
