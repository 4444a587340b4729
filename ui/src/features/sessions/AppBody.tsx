import { queryOptions, useQuery } from '@tanstack/react-query';
import { get } from '@/shared/api/client';
import type { SessionCall } from '@/shared/api/types';
import { canonicalInput, canonicalMessage, type Canonical } from '@/shared/chat/canonical';
import { MessageView, SystemView } from '@/shared/chat/Conversation';
import type { Message, Part } from '@/shared/chat/types';
import { useT } from '@/shared/i18n';
import { Waiting } from '@/shared/ui/Bits';
import { Json } from '@/shared/ui/Json';

const own = new Set(['', 'openai_chat', 'anthropic_messages', 'bedrock_converse']);

/** Whether a call came from an application's span, in a dialect only the server reads. */
export const foreign = (c: SessionCall) => !own.has(c.dialect ?? '');

const messagesQuery = (trace: string, span: string) =>
  queryOptions({
    queryKey: ['session', 'messages', trace, span],
    queryFn: ({ signal }) => get<Canonical>(`/traces/${encodeURIComponent(trace)}/spans/${encodeURIComponent(span)}/messages`, {}, signal),
    staleTime: Infinity,
    gcTime: 10_000, // until the next call has been compared with it: all conversations of a long session are large
    retry: false,
  });

/** Everything that was said up to the end of a call. */
const spoken = (c: Canonical): Message[] => [...canonicalInput(c).messages, ...(c.output.messages ?? []).map(canonicalMessage)];

/** How many messages two conversations begin with alike. */
function shared(a: Message[], b: Message[]): number {
  const differs = a.findIndex((m, i) => JSON.stringify(m) !== JSON.stringify(b[i]));
  return differs < 0 ? a.length : differs;
}

interface Added {
  system: Part[];
  messages: Message[];
  said: Message[];
  input?: unknown; // shown where no messages were recognised
  output?: unknown;
}

function added(c: Canonical, before?: Canonical): Added {
  const conv = canonicalInput(c);
  const said = (c.output.messages ?? []).map(canonicalMessage);
  const known = before ? Math.max(conv.newFrom, shared(conv.messages, spoken(before))) : conv.newFrom;
  return {
    system: conv.system, messages: conv.messages.slice(known), said,
    input: conv.messages.length === 0 ? c.input.value : undefined, output: said.length === 0 ? c.output.value : undefined,
  };
}

const addedQuery = (call: SessionCall, before?: SessionCall) =>
  queryOptions({
    queryKey: ['session', 'added', call.trace, call.span, before?.trace, before?.span],
    queryFn: async ({ client }) => {
      const prior = before && foreign(before) ? client.fetchQuery(messagesQuery(before.trace, before.span)).catch(() => undefined) : undefined;
      return added(await client.fetchQuery(messagesQuery(call.trace, call.span)), await prior);
    },
    staleTime: Infinity,
    retry: false,
  });

/** What a call of an application added: its messages in the server's own form, without those the call before had. */
export function AppBody({ call, before }: { call: SessionCall; before?: SessionCall }) {
  const t = useT();
  const q = useQuery(addedQuery(call, before));
  if (q.isPending) return <Waiting />;
  if (!q.data) return <span className="dim">{t('bodies.missing')}</span>;
  const { system, messages, said, input, output } = q.data;
  return (
    <>
      {before === undefined && <SystemView parts={system} />}
      {messages.map((m, i) => <MessageView key={i} message={m} />)}
      {input != null && <Json value={input} />}
      {said.map((m, i) => <MessageView key={`a${i}`} message={m} tag={t('answer')} />)}
      {output != null && <Json value={output} />}
    </>
  );
}
