import { root } from '@/shared/api/base';
import { csrfHeader, projectPref } from '@/shared/api/client';

export interface Result {
  text: string;
  thinking: string;
  trace?: string;
  cost?: string;
  promptTokens?: number;
  outputTokens?: number;
  firstMs?: number;
  tookMs: number;
}

interface Event {
  choices?: { delta?: { content?: string | null; reasoning_content?: string | null } }[];
  usage?: { prompt_tokens?: number; completion_tokens?: number } | null;
  error?: { message?: string };
}

/** A streaming call through the gateway with the session's own right; `seen` gets the answer as it grows. */
export async function callModel(model: string, prompt: string, maxTokens: number, signal: AbortSignal, seen: (r: Result) => void): Promise<Result> {
  const start = performance.now();
  const headers: Record<string, string> = { 'Content-Type': 'application/json', ...csrfHeader() };
  if (projectPref.get()) headers['X-Weir-Project'] = projectPref.get();
  const r = await fetch(new URL('v1/chat/completions', root), {
    method: 'POST', headers, signal, credentials: 'same-origin',
    body: JSON.stringify({ model, max_tokens: maxTokens, stream: true, stream_options: { include_usage: true }, messages: [{ role: 'user', content: prompt }] }),
  });
  const out: Result = { text: '', thinking: '', tookMs: 0, trace: r.headers.get('x-weir-trace-id') ?? undefined, cost: r.headers.get('x-litellm-response-cost') ?? undefined };
  if (!r.ok || !r.body) throw new Error(await messageOf(r));
  const reader = r.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const l of lines) take(l, out, start);
    out.tookMs = performance.now() - start;
    seen({ ...out });
  }
  take(rest, out, start);
  out.tookMs = performance.now() - start;
  return out;
}

export function take(line: string, out: Result, start: number): void {
  if (!line.startsWith('data:')) return;
  const data = line.slice(5).trim();
  if (data === '' || data === '[DONE]') return;
  const e = JSON.parse(data) as Event;
  if (e.error) throw new Error(e.error.message ?? data);
  const d = e.choices?.[0]?.delta;
  if (d?.content || d?.reasoning_content) out.firstMs ??= performance.now() - start;
  out.text += d?.content ?? '';
  out.thinking += d?.reasoning_content ?? '';
  if (e.usage) {
    out.promptTokens = e.usage.prompt_tokens;
    out.outputTokens = e.usage.completion_tokens;
  }
}

async function messageOf(r: Response): Promise<string> {
  const text = await r.text();
  try {
    return (JSON.parse(text) as { error?: { message?: string } }).error?.message ?? text;
  } catch {
    return text || r.statusText;
  }
}
