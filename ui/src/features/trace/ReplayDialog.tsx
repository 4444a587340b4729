import { Autocomplete, Button, Loader, Modal, NumberInput, SegmentedControl, Textarea } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { json } from '@/shared/api/client';
import { modelsQuery } from '@/shared/api/queries';
import type { Span } from '@/shared/api/types';
import { plain, request } from '@/shared/chat/normalize';
import { duration } from '@/shared/format/format';
import { useT } from '@/shared/i18n';
import { ErrorNotice } from '@/shared/ui/Bits';
import { useBody } from './BodyTabs';
import s from './Dialogs.module.css';
import { draftOf, paramsOf, type Draft } from './replay';

export interface Replayed {
  trace: string;
  span: string;
  status?: string;
}

const slow = 1000;

/** Sends a recorded call again and opens the difference. */
export function ReplayDialog({ span, onClose }: { span: Span; onClose: () => void }) {
  const t = useT();
  const go = useNavigate();
  const client = useQueryClient();
  const [changed, setChanged] = useState(false);
  const [running, setRunning] = useState(false);
  const [error, setError] = useState<unknown>();
  const [draft, setDraft] = useState<Draft>(() => draftOf(span));
  const system = useSystem(span, changed);
  const run = async () => {
    setRunning(true);
    setError(undefined);
    const body = changed ? { trace: span.trace, span: span.id, ...paramsOf(draft, draftOf(span), system ?? '') } : { trace: span.trace, span: span.id, unchanged: true };
    try {
      const r = await json<Replayed>('POST', '/replay', { body });
      void client.invalidateQueries({ queryKey: ['traces'] });
      await go({ to: '/diff', search: { a: `${span.trace}/${span.id}`, b: `${r.trace}/${r.span}` } });
    } catch (e) {
      setError(e);
      setRunning(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={t('replay.title')} size={620} closeButtonProps={{ 'aria-label': t('close') }}>
      <div className={s.column}>
        <SegmentedControl aria-label={t('replay.how')} value={changed ? 'changed' : 'same'} onChange={(v) => setChanged(v === 'changed')} data={[{ value: 'same', label: t('replay.unchanged') }, { value: 'changed', label: t('replay.changed') }]} disabled={running} style={{ justifySelf: 'start' }} />
        {changed ? <Changes draft={draft} system={system} onDraft={setDraft} disabled={running} /> : <p className={s.note}>{t('replay.unchanged.hint', { model: span.model || span.upstream_model || '' })}</p>}
        {running ? <Running /> : error != null && <ErrorNotice error={error} />}
        <div className={s.row}>
          <Button onClick={() => void run()} loading={running} data-autofocus>{t('replay.run')}</Button>
          <Button variant="subtle" onClick={onClose}>{t(running ? 'replay.leave' : 'cancel')}</Button>
          <span className="dim2">{t('replay.cost')}</span>
        </div>
      </div>
    </Modal>
  );
}

/** The system prompt as it was sent, undefined until it is known. */
function useSystem(span: Span, wanted: boolean): string | undefined {
  const body = useBody(span, 'input', wanted);
  return useMemo(() => (body.value === undefined ? (body.absent || body.ask || body.error ? '' : undefined) : plain(request(body.value)?.system ?? [])), [body.value, body.absent, body.ask, body.error]);
}

function Changes({ draft, system, onDraft, disabled }: { draft: Draft; system: string | undefined; onDraft: (d: Draft) => void; disabled: boolean }) {
  const t = useT();
  const models = useQuery(modelsQuery).data?.items.filter((m) => !m.pattern).map((m) => m.name) ?? [];
  const set = (d: Partial<Draft>) => onDraft({ ...draft, ...d });
  const number = (k: 'temperature' | 'top_p' | 'max_tokens', label: string, step: number) => (
    <NumberInput label={label} value={draft[k]} onChange={(v) => set({ [k]: v === '' ? '' : String(v) })} step={step} min={0} disabled={disabled} decimalScale={3} />
  );
  return (
    <>
      <Autocomplete label={t('f.model')} size="xs" value={draft.model} onChange={(model) => set({ model })} data={models} disabled={disabled} limit={50} />
      <div className={s.params}>
        {number('temperature', 'temperature', 0.1)}
        {number('top_p', 'top_p', 0.05)}
        {number('max_tokens', 'max_tokens', 256)}
      </div>
      <Textarea label={t('role.system')} value={draft.system ?? system ?? ''} placeholder={system === undefined ? t('loading') : ''} onChange={(e) => set({ system: e.currentTarget.value })} autosize minRows={4} maxRows={16} disabled={disabled || system === undefined} styles={{ input: { fontFamily: 'var(--w-font-mono)', fontSize: 12 } }} />
    </>
  );
}

function Running() {
  const t = useT();
  const [since] = useState(() => Date.now());
  const [now, setNow] = useState(since);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), slow / 4);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className={s.run} role="status">
      <Loader size={16} /> <span>{t('replay.running')}</span> <span className="num dim2">{duration(now - since)}</span>
    </div>
  );
}
