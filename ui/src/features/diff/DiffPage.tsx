import { ActionIcon, Switch } from '@mantine/core';
import { IconArrowsLeftRight, IconChevronDown, IconChevronUp } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useRef, useState } from 'react';
import { get } from '@/shared/api/client';
import { useT, type Key } from '@/shared/i18n';
import { useHotkeys } from '@/shared/keys/hotkeys';
import { ErrorNotice, Page, PageBar, Spacer, Tag, Waiting, type Tone } from '@/shared/ui/Bits';
import { useTitle } from '@/shared/ui/useTitle';
import s from './Diff.module.css';
import { isChange, items, nextChange } from './items';
import { Picker } from './Picker';
import { Rows, type RowsHandle } from './Rows';
import type { DiffSearch } from './search';
import { Summary } from './Summary';
import type { TraceDiff } from './types';

export function DiffPage() {
  const t = useT();
  const search = useSearch({ from: '/app/diff' });
  const go = useNavigate({ from: '/diff' });
  const set = useCallback((x: Partial<DiffSearch>) => void go({ search: (old) => ({ ...old, ...x }), replace: true }), [go]);
  const { a, b } = search;
  useTitle(t('diff.title'));
  const q = useQuery({
    queryKey: ['diff', a, b],
    queryFn: ({ signal }) => get<TraceDiff>('/diff', { a, b }, signal),
    enabled: !!a && !!b,
    staleTime: 30_000,
    structuralSharing: false,
    retry: false,
  });
  const swap = () => set({ a: b, b: a });
  return (
    <Page>
      <PageBar title={t('diff.title')}>
        {a && b && (
          <ActionIcon aria-label={t('diff.swap')} title={t('diff.swap')} onClick={swap}>
            <IconArrowsLeftRight size={16} />
          </ActionIcon>
        )}
        <Spacer />
        {q.data && <Tools key={`${a} ${b}`} d={q.data} all={search.all === '1'} onAll={(v) => set({ all: v ? '1' : undefined })} />}
      </PageBar>
      {!a || !b ? <Picker a={a} b={b} onPick={set} /> : q.isPending ? <Waiting /> : q.isError ? <ErrorNotice error={q.error} retry={() => void q.refetch()} /> : <View key={`${a} ${b}`} d={q.data} all={search.all === '1'} />}
    </Page>
  );
}

const marks: { op: string; tone?: Tone; text: Key }[] = [
  { op: 'changed', tone: 'warn', text: 'diff.n.changed' },
  { op: 'added', tone: 'ok', text: 'diff.n.added' },
  { op: 'removed', tone: 'err', text: 'diff.n.removed' },
  { op: 'moved', tone: 'accent', text: 'diff.n.moved' },
  { op: 'same', text: 'diff.n.same' },
];

function Tools({ d, all, onAll }: { d: TraceDiff; all: boolean; onAll: (v: boolean) => void }) {
  const t = useT();
  const counts = useMemo(() => {
    const n: Record<string, number> = {};
    for (const r of d.rows) n[r.op] = (n[r.op] ?? 0) + 1;
    return n;
  }, [d]);
  return (
    <>
      {marks.map((m) => (counts[m.op] ? <Tag key={m.op} tone={m.tone}>{t(m.text, { n: counts[m.op]! })}</Tag> : null))}
      <Switch label={t('diff.all')} checked={all} onChange={(e) => onAll(e.currentTarget.checked)} />
    </>
  );
}

function View({ d, all }: { d: TraceDiff; all: boolean }) {
  const t = useT();
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const [at, setAt] = useState(-1);
  const list = useMemo(() => items(d.rows, all, opened), [d, all, opened]);
  const rows = useRef<RowsHandle>(null);
  const changes = useMemo(() => d.rows.filter(isChange).length, [d]);
  const jump = (dir: 1 | -1) => {
    const next = nextChange(list, d.rows, at, dir);
    if (next < 0) return;
    setAt(next);
    rows.current?.show(next);
  };
  useHotkeys({ n: () => jump(1), p: () => jump(-1), j: () => jump(1), k: () => jump(-1) });
  const seen = at < 0 ? 0 : list.slice(0, at + 1).filter((x) => 'row' in x && isChange(d.rows[x.row]!)).length;
  return (
    <div className={s.page}>
      <Summary d={d} />
      <div className={s.jump}>
        <span className="num dim2" aria-live="polite">{changes === 0 ? t('diff.equal') : seen === 0 ? t('diff.n.all', { n: changes }) : t('diff.changes', { at: seen, n: changes })}</span>
        <ActionIcon size={24} aria-label={t('diff.prev')} title={`${t('diff.prev')} (p)`} onClick={() => jump(-1)} disabled={changes === 0}><IconChevronUp size={16} /></ActionIcon>
        <ActionIcon size={24} aria-label={t('diff.next')} title={`${t('diff.next')} (n)`} onClick={() => jump(1)} disabled={changes === 0}><IconChevronDown size={16} /></ActionIcon>
        {d.notes?.map((x) => <Tag key={x} tone="warn">{x}</Tag>)}
      </div>
      <Rows ref={rows} d={d} list={list} at={at} onAt={setAt} onOpen={(from) => setOpened(new Set([...opened, from]))} />
    </div>
  );
}
