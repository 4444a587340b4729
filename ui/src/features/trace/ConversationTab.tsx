import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { ApiError } from '@/shared/api/client';
import type { Span } from '@/shared/api/types';
import { canonicalInput, canonicalMessage, type Canonical } from '@/shared/chat/canonical';
import { Messages, MessageView, SystemView, ToolsView } from '@/shared/chat/Conversation';
import { PartView } from '@/shared/chat/Parts';
import { answer, request } from '@/shared/chat/normalize';
import type { Conversation, Message } from '@/shared/chat/types';
import { bytes } from '@/shared/format/format';
import { useT } from '@/shared/i18n';
import { ErrorNotice, Waiting } from '@/shared/ui/Bits';
import { Json } from '@/shared/ui/Json';
import { Absent, Body, lazyAbove, useBody, Value } from './BodyTabs';
import { Documents } from './Documents';
import { messagesQuery, useSource } from './source';
import s from './Trace.module.css';

/** What was said. Calls through the gateway are read from their exact bytes, all others in the server's own form. */
export function ConversationTab({ span }: { span: Span }) {
  return (span.source ?? '') === '' && !span.scope ? <Recorded span={span} /> : <Canon span={span} />;
}

function Recorded({ span }: { span: Span }) {
  const input = useBody(span, 'input');
  const output = useBody(span, 'output');
  const conv = useMemo(() => request(input.value), [input.value]);
  const more = span.input?.new ?? 0;
  return (
    <>
      <Body body={input}>{(value) => (conv ? <Spoken conv={conv} newFrom={more > 0 ? conv.messages.length - more : 0} /> : <Json value={value} />)}</Body>
      <Body body={output}>{(value) => <Answer value={value} />}</Body>
    </>
  );
}

function Answer({ value }: { value: unknown }) {
  const t = useT();
  const m = useMemo(() => answer(value), [value]);
  return m ? <MessageView message={m} tag={t('answer')} /> : <Json value={value} />;
}

const recent = 40; // messages shown of a long conversation
const before = 2; // known messages shown above the new ones, for their context

/** A conversation. Of one that grew from call to call only what is new is shown, and the rest when asked for. */
function Spoken({ conv, newFrom }: { conv: Conversation; newFrom: number }) {
  const t = useT();
  const [all, setAll] = useState(false);
  const hidden = all ? 0 : newFrom > before * 3 ? newFrom - before : Math.max(0, conv.messages.length - recent);
  return (
    <>
      <SystemView parts={conv.system} />
      <ToolsView tools={conv.tools} />
      {hidden > 0 && <Button variant="default" onClick={() => setAll(true)} style={{ justifySelf: 'start' }}>{t('messages.earlier', { n: hidden })}</Button>}
      <Messages messages={conv.messages.slice(hidden)} fresh={newFrom - hidden} />
    </>
  );
}

function Canon({ span }: { span: Span }) {
  const t = useT();
  const source = useSource();
  const size = (span.input?.size ?? 0) + (span.output?.size ?? 0);
  const [wanted, setWanted] = useState(size <= lazyAbove);
  const q = useQuery({ ...messagesQuery(source, span.id), enabled: wanted, retry: false });
  if (!wanted) return <Button variant="default" onClick={() => setWanted(true)} style={{ justifySelf: 'start' }}>{t('body.load', { size: bytes(size) })}</Button>;
  if (q.isPending) return <Waiting />;
  if (q.error instanceof ApiError && q.error.status === 404) return <Absent />;
  if (q.isError) return <ErrorNotice error={q.error} />;
  return <CanonView c={q.data} span={span} />;
}

function CanonView({ c, span }: { c: Canonical; span: Span }) {
  const t = useT();
  const conv = useMemo(() => canonicalInput(c), [c]);
  const said = useMemo<Message[]>(() => (c.output.messages ?? []).map(canonicalMessage), [c]);
  const documents = c.documents ?? [];
  const spoken = conv.system.length + conv.messages.length > 0;
  const nothing = !spoken && said.length === 0 && documents.length === 0 && c.input.value == null && c.output.value == null;
  if (nothing) return <Absent />;
  return (
    <>
      {spoken ? <Spoken conv={conv} newFrom={conv.newFrom} /> : <ToolsView tools={conv.tools} />}
      {c.input.value != null && (span.kind === 'tool' ? <PartView part={{ kind: 'call', id: '', name: span.name, args: c.input.value }} /> : <Side title={t('c.input')} value={c.input.value} />)}
      {said.map((m, i) => (
        <MessageView key={i} message={m} tag={t('answer')} />
      ))}
      {documents.length > 0 && <Documents items={documents} />}
      {c.output.value != null && documents.length === 0 && <Side title={t(span.kind === 'tool' ? 'result' : 'c.output')} value={c.output.value} />}
    </>
  );
}

function Side({ title, value }: { title: string; value: unknown }) {
  return (
    <section>
      <h2 className={s.h}>{title}</h2>
      <Value value={value} />
    </section>
  );
}
