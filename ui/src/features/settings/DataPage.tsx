import { Button, NumberInput, SegmentedControl, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { json } from '@/shared/api/client';
import { erasuresQuery, retentionQuery, type Erasure } from '@/shared/api/observe';
import { FilterBar } from '@/shared/filter/FilterBar';
import { full, int } from '@/shared/format/format';
import { useLang, useT, type Key } from '@/shared/i18n';
import type { What } from '@/shared/erase/EraseDialog';
import { ErrorNotice, Page, PageBar, Tag, bits } from '@/shared/ui/Bits';
import { Certificate } from '@/shared/erase/Certificate';
import s from './Data.module.css';

const EraseDialog = lazy(() => import('@/shared/erase/EraseDialog').then((m) => ({ default: m.EraseDialog })));

/** How long traces are kept, and erasing them for good. */
export function DataPage() {
  const t = useT();
  return (
    <Page>
      <PageBar title={t('nav.data')} />
      <div className={bits.scroll} tabIndex={0} role="region" aria-label={t('nav.data')}>
        <div className={s.column}>
          <Retention />
          <Erase />
          <Jobs />
        </div>
      </div>
    </Page>
  );
}

type Policy = 'standard' | 'days' | 'ever';

function Retention() {
  const t = useT();
  const client = useQueryClient();
  const q = useQuery({ ...retentionQuery, retry: false });
  const [draft, setDraft] = useState<{ policy: Policy; days: number }>();
  const stored = { policy: (q.data?.days === 0 ? 'standard' : q.data?.days === -1 ? 'ever' : 'days') as Policy, days: Math.max(1, q.data?.days ?? 30) };
  const d = draft ?? stored;
  const save = useMutation({
    mutationFn: () => json('PUT', '/retention', { body: { days: d.policy === 'standard' ? 0 : d.policy === 'ever' ? -1 : d.days } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['retention'] });
      setDraft(undefined);
    },
  });
  const standard = q.data?.default_days ? t('retention.days', { n: q.data.default_days }) : t('retention.ever');
  const changed = d.policy !== stored.policy || (d.policy === 'days' && d.days !== stored.days);
  return (
    <section>
      <h2>{t('retention')}</h2>
      <p>{t('retention.what')}</p>
      {q.isError && <ErrorNotice error={q.error} />}
      {q.data && (
        <form className={s.line} onSubmit={(e) => (e.preventDefault(), save.mutate())}>
          <SegmentedControl aria-label={t('retention')} value={d.policy} onChange={(v) => setDraft({ ...d, policy: v as Policy })} data={[{ value: 'standard', label: t('retention.standard', { v: standard }) }, { value: 'days', label: t('retention.own') }, { value: 'ever', label: t('retention.ever') }]} />
          {d.policy === 'days' && <NumberInput aria-label={t('retention.own')} value={d.days} onChange={(v) => setDraft({ ...d, days: Math.max(1, Number(v) || 1) })} min={1} max={36_500} w={90} />}
          <Button type="submit" disabled={!changed} loading={save.isPending}>{t('save')}</Button>
        </form>
      )}
      {save.isError && <ErrorNotice error={save.error} />}
    </section>
  );
}

const kinds = ['user', 'session', 'trace', 'filter'] as const;
type Kind = (typeof kinds)[number];
const kindNames: Record<Kind, Key> = { user: 'f.user', session: 'f.session', trace: 'f.trace', filter: 'filter.label' };

function Erase() {
  const t = useT();
  const [kind, setKind] = useState<Kind>('user');
  const [value, setValue] = useState('');
  const [what, setWhat] = useState<What>();
  const start = (v: string) => v.trim() !== '' && setWhat({ [kind]: v.trim() });
  return (
    <section>
      <h2>{t('erase.title')}</h2>
      <p>{t('erase.what')}</p>
      <form className={s.line} onSubmit={(e) => (e.preventDefault(), start(value))}>
        <SegmentedControl aria-label={t('erase.by')} value={kind} onChange={(v) => (setKind(v as Kind), setValue(''))} data={kinds.map((k) => ({ value: k, label: t(kindNames[k]) }))} />
        {kind === 'filter' ? <FilterBar value={value} onApply={setValue} scope={{}} /> : <TextInput aria-label={t(kindNames[kind])} placeholder={kind === 'user' ? 'user@example.com' : ''} value={value} onChange={(e) => setValue(e.currentTarget.value)} style={{ flex: '1 1 220px' }} />}
        <Button type="submit" variant="default" disabled={value.trim() === ''}>{t('erase.dry')}</Button>
      </form>
      <Suspense>{what && <EraseDialog what={what} onClose={() => setWhat(undefined)} />}</Suspense>
    </section>
  );
}

function Jobs() {
  const t = useT();
  const lang = useLang();
  const q = useQuery({ ...erasuresQuery, retry: false });
  const [open, setOpen] = useState<string>();
  const items = (q.data?.items ?? []).filter((j) => !j.dry_run);
  if (items.length === 0) return null;
  return (
    <section>
      <h2>{t('erase.jobs')}</h2>
      <ul className={s.jobs}>
        {items.map((j) => (
          <li key={j.job}>
            <button type="button" aria-expanded={open === j.job} onClick={() => setOpen(open === j.job ? undefined : j.job)}>
              <State job={j} /> <span className="num dim2">{full(j.created, lang)}</span> <span>{t(kindNames[j.kind])}</span>
              <span className="num">{t('erase.n', { n: j.traces, count: int(j.traces, lang) })}</span> <span className="dim2 ellipsis">{j.reason}</span>
            </button>
            {open === j.job && (j.certificate ? <Certificate job={j} /> : <span className="err">{j.error || j.step}</span>)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function State({ job }: { job: Erasure }) {
  const t = useT();
  return <Tag tone={job.state === 'done' ? 'ok' : job.state === 'failed' ? 'err' : 'warn'}>{t(job.state === 'done' ? 'done' : job.state === 'failed' ? 'status.error' : 'erase.running')}</Tag>;
}
