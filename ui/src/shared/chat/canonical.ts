import type { Conversation, Message, Part, Role, ToolDef } from './types';

/** The server's own form of a conversation, whatever the dialect it was recorded in. */
export interface CanonicalPart {
  type: string;
  text?: string;
  signature?: string;
  id?: string;
  name?: string;
  arguments?: unknown;
  result?: unknown;
  error?: boolean;
  mime?: string;
  url?: string;
  data?: string;
  value?: unknown;
}

export interface CanonicalMessage {
  role: string;
  name?: string;
  parts: CanonicalPart[] | null;
  finish?: string;
}

export interface RetrievedDocument {
  id?: string;
  text?: string;
  score?: number | null;
  metadata?: unknown;
}

export interface Canonical {
  form: string; // messages, value or none
  input: { messages?: CanonicalMessage[] | null; tools?: { name: string; description?: string; schema?: unknown }[] | null; value?: unknown };
  output: { messages?: CanonicalMessage[] | null; value?: unknown };
  new_from?: number;
  documents?: RetrievedDocument[] | null;
}

const roles: Record<string, Role> = { system: 'system', user: 'user', assistant: 'assistant', tool: 'tool' };

function media(p: CanonicalPart): string {
  return p.data ? `data:${p.mime || 'application/octet-stream'};base64,${p.data}` : (p.url ?? '');
}

export function canonicalPart(p: CanonicalPart): Part {
  switch (p.type) {
    case 'text':
      return { kind: 'text', text: p.text ?? '' };
    case 'thinking':
      return { kind: 'thinking', text: p.text ?? '', redacted: !p.text };
    case 'tool_call':
      return { kind: 'call', id: p.id ?? '', name: p.name ?? '', args: p.arguments ?? {} };
    case 'tool_result':
      return { kind: 'result', id: p.id ?? '', name: p.name, parts: resultParts(p.result), error: p.error === true };
    case 'image':
      return { kind: 'image', src: media({ mime: 'image/png', ...p }), inline: !!p.data || (p.url ?? '').startsWith('data:') };
    case 'audio':
      return { kind: 'audio', src: media({ mime: 'audio/wav', ...p }), mime: p.mime ?? 'audio/wav', name: p.name ?? '', inline: !!p.data || (p.url ?? '').startsWith('data:') };
    case 'file':
      return { kind: 'document', name: p.name ?? '', mime: p.mime ?? '', text: p.text, src: media(p) || undefined };
  }
  return { kind: 'raw', value: p.value ?? p };
}

function isPart(v: unknown): v is CanonicalPart {
  return typeof v === 'object' && v !== null && 'type' in v && typeof v.type === 'string' && /^(text|image|audio|file)$/.test(v.type);
}

/** A result is text, parts, or any value. */
export function resultParts(v: unknown): Part[] {
  if (v === undefined || v === null || v === '') return [];
  if (typeof v === 'string') return [{ kind: 'text', text: v }];
  if (Array.isArray(v) && v.length > 0 && v.every(isPart)) return v.map(canonicalPart);
  return [{ kind: 'raw', value: v }];
}

export function canonicalMessage(m: CanonicalMessage): Message {
  const parts = (m.parts ?? []).map(canonicalPart);
  const role = roles[m.role] ?? 'user';
  return { role, name: m.name, parts };
}

/** The input as a conversation. System messages at the front stand apart, which shifts where the new ones begin. */
export function canonicalInput(c: Canonical): Conversation & { newFrom: number } {
  const all = (c.input.messages ?? []).map(canonicalMessage);
  const lead = all.findIndex((m) => m.role !== 'system');
  const n = lead < 0 ? all.length : lead;
  const tools: ToolDef[] = (c.input.tools ?? []).map((t) => ({ name: t.name, description: t.description ?? '', schema: t.schema ?? {} }));
  return { system: all.slice(0, n).flatMap((m) => m.parts), messages: named(all.slice(n)), tools, newFrom: Math.max(0, (c.new_from ?? 0) - n) };
}

function named(messages: Message[]): Message[] {
  const names = new Map<string, string>();
  for (const p of messages.flatMap((m) => m.parts)) {
    if (p.kind === 'call' && p.id) names.set(p.id, p.name);
    if (p.kind === 'result' && !p.name) p.name = names.get(p.id);
  }
  return messages;
}
