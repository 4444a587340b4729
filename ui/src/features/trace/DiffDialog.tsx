import { Button, Modal, SegmentedControl, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { get } from '@/shared/api/client';
import type { Page, Span, TraceRow } from '@/shared/api/types';
import { clause, join } from '@/shared/filter/clauses';
import { duration, money, when } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { Tag } from '@/shared/ui/Bits';
import { refOf } from '@/shared/diff/ref';
import { KindIcon } from '@/shared/ui/Kind';
import s from './Dialogs.module.css';

type Of = 'span' | 'trace';

/** What to compare this trace, or this step of it, with: its neighbours, its replays, or whatever is pasted. */
export function DiffDialog({ trace, session, root, span, several, onClose }: { trace: string; session?: string; root: Span | undefined; span: Span | undefined; several: boolean; onClose: () => void }) {
  const t = useT();
  const go = useNavigate();
  const [of, setOf] = useState<Of>(several ? 'trace' : 'span');
  const [pasted, setPasted] = useState('');
  const ref = refOf(pasted);
  const self = of === 'span' && span ? `${trace}/${span.id}` : trace;
  const start = (other: string, older: boolean) => void go({ to: '/diff', search: older ? { a: other, b: self } : { a: self, b: other } });
  const named = of === 'span' ? span : root;
  const lists: [string, string | undefined][] = [
    [t('diff.session'), session ? join([clause('session', [session]), of === 'span' && span?.kind === 'generation' ? clause('kind', ['generation']) : '']) : undefined],
    [t('diff.alike'), named ? join([clause('name', [named.name]), of === 'span' && named.model ? clause('model', [named.model]) : '']) : undefined],
  ];
  const Near = of === 'span' ? NearSpans : NearTraces;
  return (
    <Modal opened onClose={onClose} title={t('diff.with')} size={640} closeButtonProps={{ 'aria-label': t('close') }}>
      <div className={s.column}>
        {several && span && <SegmentedControl aria-label={t('diff.of')} value={of} onChange={(v) => setOf(v as Of)} data={[{ value: 'trace', label: t('diff.of.trace') }, { value: 'span', label: t('diff.of.span') }]} style={{ justifySelf: 'start' }} />}
        <form className={s.row} onSubmit={(e) => (e.preventDefault(), ref && start(ref, false))}>
          <TextInput aria-label={t('diff.paste')} placeholder={t('diff.paste')} value={pasted} onChange={(e) => setPasted(e.currentTarget.value)} style={{ flex: 1 }} data-autofocus />
          <Button type="submit" disabled={!ref}>{t('diff.go')}</Button>
        </form>
        <Replays trace={trace} span={span} onPick={(ref) => start(ref, false)} />
        {lists.map(([title, filter]) => filter && <Near key={title} title={title} filter={filter} self={self} before={named?.start} onPick={start} />)}
      </div>
    </Modal>
  );
}

interface Choice {
  ref: string;
  kind: string;
  start: string;
  text: string;
  status: string;
  model: string;
  duration_ms: number;
  cost_usd?: number;
}

const choiceOf = (x: TraceRow): Choice => ({ ref: `${x.trace}/${x.id}`, kind: x.kind, start: x.start, text: x.input_preview || x.name, status: x.status === 'ok' ? '' : x.error_type || x.status, model: x.model ?? '', duration_ms: x.duration_ms, cost_usd: x.cost_usd });

function useRows(filter: string): Choice[] {
  const q = useQuery({ queryKey: ['traces', 'near', filter], queryFn: ({ signal }) => get<Page<TraceRow>>('/traces', { filter, limit: 12 }, signal), retry: false, staleTime: 10_000 });
  return q.data?.items.map(choiceOf) ?? [];
}

export interface Summary {
  trace: string;
  root: TraceRow;
  name: string;
  start: string;
  duration_ms: number;
  cost_usd: number;
  models?: string[] | null;
  status?: string;
}

/** One choice a trace, with the figures of the whole. */
function useTraces(filter: string): Choice[] {
  const q = useQuery({ queryKey: ['traces', 'near', 'whole', filter], queryFn: ({ signal }) => get<Page<Summary>>('/traces', { view: 'traces', filter, limit: 12 }, signal), retry: false, staleTime: 10_000 });
  return q.data?.items.map((x) => ({ ref: x.trace, kind: x.root.kind, start: x.start, text: x.root.input_preview || x.name, status: x.status && x.status !== 'ok' ? x.status : '', model: x.models?.join(', ') ?? '', duration_ms: x.duration_ms, cost_usd: x.cost_usd })) ?? [];
}

function Replays({ trace, span, onPick }: { trace: string; span: Span | undefined; onPick: (ref: string) => void }) {
  const t = useT();
  const rows = useRows(`replays = "${trace}/${span?.id ?? ''}"`);
  return <List title={t('diff.replays')} rows={rows} onPick={(x) => onPick(x.ref)} />;
}

const shown = 6;

interface Near {
  title: string;
  filter: string;
  self: string;
  before?: string;
  onPick: (ref: string, older: boolean) => void;
}

function NearSpans({ title, filter, self, before, onPick }: Near) {
  const rows = useRows(filter).filter((x) => x.ref !== self);
  return <List title={title} rows={rows.slice(0, shown)} onPick={(x) => onPick(x.ref, !!before && x.start < before)} />;
}

function NearTraces({ title, filter, self, before, onPick }: Near) {
  const rows = useTraces(filter).filter((x) => x.ref !== self);
  return <List title={title} rows={rows.slice(0, shown)} onPick={(x) => onPick(x.ref, !!before && x.start < before)} />;
}

function List({ title, rows, onPick }: { title: string; rows: Choice[]; onPick: (x: Choice) => void }) {
  const lang = useLang();
  if (rows.length === 0) return null;
  return (
    <section aria-label={title}>
      <h2 className={s.h}>{title}</h2>
      {rows.map((x) => (
        <button key={x.ref} type="button" className={s.pick} onClick={() => onPick(x)}>
          <KindIcon kind={x.kind} />
          <span className="num dim2">{when(x.start, lang)}</span>
          <span className="ellipsis">{x.text}</span>
          {x.status && <Tag tone="err">{x.status}</Tag>}
          <span className={`dim2 ellipsis ${s.models}`}>{x.model}</span>
          <span className="num dim2">{duration(x.duration_ms)}</span>
          <span className="num">{x.cost_usd ? money(x.cost_usd, lang) : ''}</span>
        </button>
      ))}
    </section>
  );
}
