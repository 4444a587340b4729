import type { SessionCall } from '@/shared/api/types';
import { answer, content, isObj, message } from '@/shared/chat/normalize';
import type { Message, Part } from '@/shared/chat/types';
import { add, cacheShare, total, type Buckets } from '@/shared/format/usage';

/** A call of a session as shown: only what is new, with tool results named after the calls they answer. */
export interface Step {
  call: SessionCall;
  n: number;
  fresh: Message[];
  reply?: Message;
  system: Part[];
  running: number;
}

export function steps(calls: SessionCall[]): Step[] {
  const names = new Map<string, string>();
  let sum = 0;
  return calls.map((call, i) => {
    sum += call.cost_usd ?? 0;
    const all = (call.new_messages ?? []).map(message);
    const system = [...content(call.system), ...all.filter((m) => m.role === 'system').flatMap((m) => m.parts)];
    const fresh = all.filter((m) => m.role !== 'system');
    const reply = call.answer ? (answer(call.answer) ?? lastOf(call.answer)) : undefined;
    for (const m of fresh) name(m, names);
    if (reply) learn(reply, names);
    return { call, n: i + 1, fresh, reply, system, running: call.running_cost_usd ?? sum };
  });
}

/** The last message of an answer that is a list of messages, as instrumentations record it. */
function lastOf(value: unknown): Message | undefined {
  const list = isObj(value) && Array.isArray(value.messages) ? (value.messages as unknown[]) : [];
  const last = list.at(-1);
  if (!isObj(last)) return undefined;
  const calls = Array.isArray(last.tool_calls) ? (last.tool_calls as unknown[]).map((c) => (isObj(c) && isObj(c.tool_call) ? { type: 'function', ...c.tool_call } : c)) : undefined;
  return message({ ...last, ...(calls ? { tool_calls: calls } : {}) });
}

function learn(m: Message, names: Map<string, string>): void {
  for (const p of m.parts) if (p.kind === 'call' && p.id) names.set(p.id, p.name);
}

function name(m: Message, names: Map<string, string>): void {
  for (const p of m.parts) if (p.kind === 'result' && !p.name) p.name = names.get(p.id);
}

export interface Totals {
  usage: Required<Buckets>;
  cost: number;
  busy: number; // ms spent in calls
  errors: Step[];
  share?: number;
  largest: number; // tokens of the largest step: the width of its bar
}

export function totals(list: Step[]): Totals {
  const usage = list.reduce((u, s) => add(u, s.call.usage ?? {}), add({}, {}));
  return {
    usage,
    cost: list.at(-1)?.running ?? 0,
    busy: list.reduce((n, s) => n + s.call.duration_ms, 0),
    errors: list.filter((s) => s.call.status !== 'ok'),
    share: cacheShare(usage),
    largest: Math.max(1, ...list.map((s) => total(s.call.usage ?? {}))),
  };
}

/** What a step does, in a few words, for the rail. */
export function gist(s: Step): string {
  const call = s.reply?.parts.find((p) => p.kind === 'call');
  if (call?.kind === 'call') return call.name;
  const text = s.reply?.parts.find((p) => p.kind === 'text');
  return text?.kind === 'text' ? text.text.split('\n')[0]!.slice(0, 60) : (s.call.error_text || s.call.model || '');
}
