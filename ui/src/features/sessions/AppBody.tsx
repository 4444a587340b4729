import { queryOptions, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { get } from '@/shared/api/client';
import type { SessionCall } from '@/shared/api/types';
import { canonicalInput, canonicalMessage, type Canonical } from '@/shared/chat/canonical';
import { MessageView, SystemView } from '@/shared/chat/Conversation';
import type { Message } from '@/shared/chat/types';
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
    gcTime: 120_000,
    retry: false,
  });

/** Everything that was said up to the end of a call. */
const spoken = (c: Canonical): Message[] => [...canonicalInput(c).messages, ...(c.output.messages ?? []).map(canonicalMessage)];

/** How many messages two conversations begin with alike. */
function shared(a: Message[], b: Message[]): number {
  const differs = a.findIndex((m, i) => JSON.stringify(m) !== JSON.stringify(b[i]));
  return differs < 0 ? a.length : differs;
}

/** What a call of an application added: its messages in the server's own form, without those the call before had. */
export function AppBody({ call, before }: { call: SessionCall; before?: SessionCall }) {
  const t = useT();
  const q = useQuery(messagesQuery(call.trace, call.span));
  const prior = useQuery({ ...messagesQuery(before?.trace ?? '', before?.span ?? ''), enabled: before !== undefined && foreign(before) });
  const conv = useMemo(() => (q.data ? canonicalInput(q.data) : undefined), [q.data]);
  const known = useMemo(() => (conv && prior.data ? Math.max(conv.newFrom, shared(conv.messages, spoken(prior.data))) : (conv?.newFrom ?? 0)), [conv, prior.data]);
  if (q.isPending || prior.isLoading) return <Waiting />;
  if (!conv || !q.data) return <span className="dim">{t('bodies.missing')}</span>;
  const said = (q.data.output.messages ?? []).map(canonicalMessage);
  return (
    <>
      {before === undefined && <SystemView parts={conv.system} />}
      {conv.messages.slice(known).map((m, i) => <MessageView key={i} message={m} />)}
      {conv.messages.length === 0 && q.data.input.value != null && <Json value={q.data.input.value} />}
      {said.map((m, i) => <MessageView key={`a${i}`} message={m} tag={t('answer')} />)}
      {said.length === 0 && q.data.output.value != null && <Json value={q.data.output.value} />}
    </>
  );
}
