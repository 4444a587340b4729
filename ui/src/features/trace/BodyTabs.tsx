import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState, type ReactNode } from 'react';
import { bodyQuery, type Side } from '@/shared/api/queries';
import type { Span } from '@/shared/api/types';
import { Messages, MessageView, SystemView, ToolsView } from '@/shared/chat/Conversation';
import { answer, parsed, request } from '@/shared/chat/normalize';
import { bytes } from '@/shared/format/format';
import { useT } from '@/shared/i18n';
import { Copy, ErrorNotice, Spacer, Waiting } from '@/shared/ui/Bits';
import { Code } from '@/shared/ui/Code';
import { Json } from '@/shared/ui/Json';
import s from './Trace.module.css';

interface Where {
  trace: string;
  span: Span;
}

const lazyAbove = 3_000_000; // bytes

/** A body is fetched when it is seen, and a large one only when asked for. */
function useBody({ trace, span }: Where, side: Side) {
  const info = side === 'input' ? span.input : span.output;
  const size = info?.size ?? 0;
  const absent = info != null && (info.form ?? '') === '' && size === 0; // nothing was recorded, as for a call that failed
  const [wanted, setWanted] = useState(size <= lazyAbove);
  const q = useQuery({ ...bodyQuery(trace, span.id, side), enabled: wanted && !absent, retry: false });
  const value = useMemo(() => (q.data === undefined ? undefined : parsed(q.data)), [q.data]);
  return { q, value, absent, ask: wanted ? undefined : () => setWanted(true), size };
}

function Body({ body, children }: { body: ReturnType<typeof useBody>; children: (v: unknown, text: string) => ReactNode }) {
  const t = useT();
  if (body.absent) return <span className="dim">{t('body.absent')}</span>;
  if (body.ask) return <Button variant="default" onClick={body.ask}>{t('body.load', { size: bytes(body.size) })}</Button>;
  if (body.q.isPending) return <Waiting />;
  if (body.q.isError) return <ErrorNotice error={body.q.error} />;
  return children(body.value, body.q.data);
}

const recent = 40;

export function ConversationTab(w: Where) {
  const t = useT();
  const input = useBody(w, 'input');
  const output = useBody(w, 'output');
  const conv = useMemo(() => request(input.value), [input.value]);
  const [all, setAll] = useState(false);
  const messages = conv?.messages ?? [];
  const hidden = all ? 0 : Math.max(0, messages.length - recent);
  return (
    <>
      <Body body={input}>
        {(value) =>
          conv ? (
            <>
              <SystemView parts={conv.system} />
              <ToolsView tools={conv.tools} />
              {hidden > 0 && <Button variant="default" onClick={() => setAll(true)}>{t('messages.earlier', { n: hidden })}</Button>}
              <Messages messages={messages.slice(hidden)} />
            </>
          ) : (
            <Json value={value} />
          )
        }
      </Body>
      <Body body={output}>{(value) => <Answer value={value} />}</Body>
    </>
  );
}

function Answer({ value }: { value: unknown }) {
  const t = useT();
  const m = useMemo(() => answer(value), [value]);
  return m ? <MessageView message={m} tag={t('answer')} /> : <Json value={value} />;
}

export function IOTab(w: Where) {
  const t = useT();
  return (
    <>
      <Section title={t('c.input')} body={useBody(w, 'input')} />
      <Section title={t('c.output')} body={useBody(w, 'output')} />
      {w.span.error_body && (
        <section>
          <h2 className={s.h}>{t('error.body')}</h2>
          <Code text={pretty(w.span.error_body)} />
        </section>
      )}
    </>
  );
}

function pretty(text: string): string {
  const v = parsed(text);
  return typeof v === 'string' ? v : JSON.stringify(v, null, 2);
}

function Section({ title, body }: { title: string; body: ReturnType<typeof useBody> }) {
  return (
    <section>
      <div style={{ display: 'flex', alignItems: 'center', gap: 8 }}>
        <h2 className={s.h}>{title}</h2>
        <Spacer />
        {body.q.data !== undefined && <><span className="dim num">{bytes(body.q.data.length)}</span><Copy text={body.q.data} /></>}
      </div>
      <Body body={body}>{(v, text) => (typeof v === 'string' ? <Code text={text} wrap /> : <Json value={v} open={3} />)}</Body>
    </section>
  );
}

export function RawTab(w: Where) {
  const t = useT();
  return (
    <section>
      <div style={{ display: 'flex', alignItems: 'center' }}>
        <h2 className={s.h}>{t('raw.span')}</h2>
        <Spacer />
        <Copy text={() => JSON.stringify(w.span, null, 2)} />
      </div>
      <Json value={w.span} />
    </section>
  );
}
