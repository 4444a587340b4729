import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState, type ReactNode } from 'react';
import type { Span } from '@/shared/api/types';
import { parsed } from '@/shared/chat/normalize';
import { bytes } from '@/shared/format/format';
import { useT } from '@/shared/i18n';
import { Copy, ErrorNotice, Spacer, Waiting } from '@/shared/ui/Bits';
import { Code } from '@/shared/ui/Code';
import { Json } from '@/shared/ui/Json';
import { bodyQuery, rawSpanQuery, useSource, type Side } from './source';
import s from './Trace.module.css';

export const lazyAbove = 3_000_000; // bytes

export interface Loaded {
  text?: string;
  value: unknown;
  error: unknown;
  absent: boolean;
  ask?: () => void; // the body is large: it is loaded once this is called
  size: number;
}

/** A body is fetched when it is seen, and a large one only when asked for. */
export function useBody(span: Span, side: Side, enabled = true): Loaded {
  const source = useSource();
  const info = side === 'input' ? span.input : span.output;
  const size = info?.size ?? 0;
  const absent = info != null && (info.form ?? '') === '' && (size === 0 || source.shared); // nothing was recorded, as for a call that failed, or shared
  const [wanted, setWanted] = useState(size <= lazyAbove);
  const q = useQuery({ ...bodyQuery(source, span.id, side), enabled: enabled && wanted && !absent, retry: false });
  const value = useMemo(() => (q.data === undefined ? undefined : parsed(q.data)), [q.data]);
  return { text: q.data, value, error: q.error, absent, ask: wanted ? undefined : () => setWanted(true), size };
}

export function Body({ body, children }: { body: Loaded; children: (v: unknown, text: string) => ReactNode }) {
  const t = useT();
  if (body.absent) return <Absent />;
  if (body.ask) return <Button variant="default" onClick={body.ask} style={{ justifySelf: 'start' }}>{t('body.load', { size: bytes(body.size) })}</Button>;
  if (body.error) return <ErrorNotice error={body.error} />;
  if (body.text === undefined) return <Waiting />;
  return children(body.value, body.text);
}

/** No body is there. Of a share it is not told whether one was recorded. */
export function Absent() {
  const t = useT();
  return <span className="dim">{t(useSource().shared ? 'body.hidden' : 'body.absent')}</span>;
}

export function IOTab({ span }: { span: Span }) {
  const t = useT();
  return (
    <>
      <Section title={t('c.input')} body={useBody(span, 'input')} />
      <Section title={t('c.output')} body={useBody(span, 'output')} />
      {span.error_body && (
        <section>
          <h2 className={s.h}>{t('error.body')}</h2>
          <Code text={pretty(span.error_body)} />
        </section>
      )}
    </>
  );
}

function pretty(text: string): string {
  const v = parsed(text);
  return typeof v === 'string' ? v : JSON.stringify(v, null, 2);
}

function Section({ title, body }: { title: string; body: Loaded }) {
  return (
    <section>
      <div style={{ display: 'flex', alignItems: 'center', gap: 8 }}>
        <h2 className={s.h}>{title}</h2>
        <Spacer />
        {body.text !== undefined && <><span className="dim num">{bytes(body.text.length)}</span><Copy text={body.text} /></>}
      </div>
      <Body body={body}>{(v, text) => <Value value={v} text={text} />}</Body>
    </section>
  );
}

export function Value({ value, text }: { value: unknown; text?: string }) {
  return typeof value === 'string' ? <Code text={value || (text ?? '')} wrap /> : <Json value={value} open={3} />;
}

/** The span as it is kept, or with the attributes that became bodies put back. */
export function RawTab({ span }: { span: Span }) {
  const t = useT();
  const source = useSource();
  const [whole, setWhole] = useState(false);
  const marked = useMemo(() => !source.shared && JSON.stringify([span.attributes, span.events]).includes('{"$body":'), [source, span]);
  const q = useQuery({ ...rawSpanQuery(source, span.id), enabled: whole && marked, retry: false });
  const shown = whole && marked ? q.data : span;
  return (
    <section>
      <div style={{ display: 'flex', alignItems: 'center', gap: 8 }}>
        <h2 className={s.h}>{t('raw.span')}</h2>
        <Spacer />
        {marked && <Button variant="default" size="compact-xs" aria-pressed={whole} onClick={() => setWhole(!whole)}>{t('raw.arrived')}</Button>}
        {shown && <Copy text={() => JSON.stringify(shown, null, 2)} />}
      </div>
      {shown ? <Json value={shown} /> : q.error ? <ErrorNotice error={q.error} /> : <Waiting />}
    </section>
  );
}
