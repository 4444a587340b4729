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
export function DiffDialog({ trace, session, span, several, onClose }: { trace: string; session?: string; span: Span | undefined; several: boolean; onClose: () => void }) {
  const t = useT();
  const go = useNavigate();
  const [of, setOf] = useState<Of>(several ? 'trace' : 'span');
  const [pasted, setPasted] = useState('');
  const ref = refOf(pasted);
  const self = of === 'span' && span ? `${trace}/${span.id}` : trace;
  const start = (other: string, older: boolean) => void go({ to: '/diff', search: older ? { a: other, b: self } : { a: self, b: other } });
  const lists: [string, string | undefined][] = [
    [t('diff.session'), session ? join([clause('session', [session]), span?.kind === 'generation' ? clause('kind', ['generation']) : '']) : undefined],
    [t('diff.alike'), span ? join([clause('name', [span.name]), span.model ? clause('model', [span.model]) : '']) : undefined],
  ];
  return (
    <Modal opened onClose={onClose} title={t('diff.with')} size={640} closeButtonProps={{ 'aria-label': t('close') }}>
      <div className={s.column}>
        {several && span && <SegmentedControl aria-label={t('diff.of')} value={of} onChange={(v) => setOf(v as Of)} data={[{ value: 'trace', label: t('diff.of.trace') }, { value: 'span', label: t('diff.of.span') }]} style={{ justifySelf: 'start' }} />}
        <form className={s.row} onSubmit={(e) => (e.preventDefault(), ref && start(ref, false))}>
          <TextInput aria-label={t('diff.paste')} placeholder={t('diff.paste')} value={pasted} onChange={(e) => setPasted(e.currentTarget.value)} style={{ flex: 1 }} data-autofocus />
          <Button type="submit" disabled={!ref}>{t('diff.go')}</Button>
        </form>
        <Replays trace={trace} span={span} onPick={(x) => start(`${x.trace}/${x.id}`, false)} />
        {lists.map(([title, filter]) => filter && <Near key={title} title={title} filter={filter} except={of === 'span' ? span?.id : trace} of={of} before={span?.start} onPick={start} />)}
      </div>
    </Modal>
  );
}

function useRows(filter: string, limit: number) {
  return useQuery({ queryKey: ['traces', 'near', filter, limit], queryFn: ({ signal }) => get<Page<TraceRow>>('/traces', { filter, limit }, signal), retry: false, staleTime: 10_000 });
}

function Replays({ trace, span, onPick }: { trace: string; span: Span | undefined; onPick: (x: TraceRow) => void }) {
  const t = useT();
  const rows = useRows(`replays = "${trace}/${span?.id ?? ''}"`, 8).data?.items ?? [];
  return <List title={t('diff.replays')} rows={rows} onPick={onPick} />;
}

function Near({ title, filter, except, of, before, onPick }: { title: string; filter: string; except?: string; of: Of; before?: string; onPick: (ref: string, older: boolean) => void }) {
  const rows = (useRows(filter, 12).data?.items ?? []).filter((x) => (of === 'span' ? x.id : x.trace) !== except);
  const seen = new Set<string>();
  const own = of === 'span' ? rows : rows.filter((x) => !seen.has(x.trace) && seen.add(x.trace));
  return <List title={title} rows={own.slice(0, 6)} onPick={(x) => onPick(of === 'span' ? `${x.trace}/${x.id}` : x.trace, !!before && x.start < before)} />;
}

function List({ title, rows, onPick }: { title: string; rows: TraceRow[]; onPick: (x: TraceRow) => void }) {
  const lang = useLang();
  if (rows.length === 0) return null;
  return (
    <section aria-label={title}>
      <h2 className={s.h}>{title}</h2>
      {rows.map((x) => (
        <button key={`${x.trace}/${x.id}`} type="button" className={s.pick} onClick={() => onPick(x)}>
          <KindIcon kind={x.kind} />
          <span className="num dim2">{when(x.start, lang)}</span>
          <span className="ellipsis">{x.input_preview || x.name}</span>
          {x.status !== 'ok' && <Tag tone="err">{x.error_type || x.status}</Tag>}
          <span className="dim2">{x.model}</span>
          <span className="num dim2">{duration(x.duration_ms)}</span>
          <span className="num">{x.cost_usd ? money(x.cost_usd, lang) : ''}</span>
        </button>
      ))}
    </section>
  );
}
