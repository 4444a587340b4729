import { Chip, Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState } from 'react';
import { errorsQuery } from '@/shared/api/observe';
import type { Scope } from '@/shared/api/queries';
import { FilterBar } from '@/shared/filter/FilterBar';
import { int } from '@/shared/format/format';
import { useLang, useT, type Key } from '@/shared/i18n';
import { ends, isFixed, iso } from '@/shared/time/range';
import { useUsual } from '@/shared/time/useRange';
import { ErrorNotice, Page, PageBar, Tag, Waiting } from '@/shared/ui/Bits';
import { RangePicker } from '@/shared/ui/RangePicker';
import { Tabs } from '@/shared/ui/Tabs';
import { ViewsMenu } from '@/shared/views/ViewsMenu';
import { GroupPanel } from './GroupPanel';
import { Groups } from './Groups';
import s from './Errors.module.css';
import { kinds, tabs, type ErrorsSearch, type Kind } from './search';

const Spread = lazy(() => import('./Spread').then((m) => ({ default: m.Spread })));

const kindNames: Record<Kind, Key> = { class: 'f.error_type', provider: 'f.provider', model: 'f.model', http: 'f.http', shape: 'errors.shape' };
const tabNames = { groups: 'errors.groups', latency: 'errors.latency', ttft: 'errors.ttft' } as const;

/** What fails, grouped by what the failures have in common; and how long calls take. */
export function ErrorsPage() {
  const t = useT();
  const lang = useLang();
  const search = useSearch({ from: '/app/errors' });
  const go = useNavigate({ from: '/errors' });
  const [now, setNow] = useState(() => Date.now());
  const set = (x: Partial<ErrorsSearch>, replace = false) => void go({ search: (old) => ({ ...old, ...x }), replace });
  const { from, to } = ends(search, now, useUsual());
  const filter = search.q ?? '';
  const fixed = isFixed(search);
  const scope: Scope = useMemo(() => ({ filter, from: iso(from), to: fixed ? iso(to) : undefined }), [filter, from, to, fixed]);
  const tab = search.tab ?? 'groups';
  const by = (search.by?.split(',') ?? [...kinds]) as Kind[];
  const q = useQuery({ ...errorsQuery(scope, search.by ?? ''), enabled: tab === 'groups' });
  const group = q.data?.items.find((g) => g.id === search.sel);
  const pickKinds = (v: string[]) => set({ by: v.length === 0 || v.length === kinds.length ? undefined : kinds.filter((k) => v.includes(k)).join(','), sel: undefined });
  return (
    <Page>
      <PageBar title={t('nav.errors')}>
        <FilterBar value={filter} onApply={(f) => set({ q: f || undefined })} scope={scope} error={q.error} />
        <RangePicker value={search} onChange={(r) => (setNow(Date.now()), set({ r: undefined, from: undefined, to: undefined, ...r }))} />
        <ViewsMenu page="errors" search={search} onOpen={(x) => void go({ search: x as ErrorsSearch })} />
      </PageBar>
      <Tabs label={t('nav.errors')} value={tab} onChange={(v) => set({ tab: v === 'groups' ? undefined : v, sel: undefined })} items={tabs.map((v) => ({ id: v, label: t(tabNames[v]) }))} />
      {q.isError && tab === 'groups' && <ErrorNotice error={q.error} retry={() => void q.refetch()} />}
      {tab === 'groups' ? (
        <>
          <div className={s.by}>
            <span className="dim2" id="errors-by">{t('errors.by')}</span>
            <Chip.Group multiple value={by} onChange={pickKinds}>
              <Group gap={4} role="group" aria-labelledby="errors-by">
                {kinds.map((k) => <Chip key={k} value={k} size="xs" radius="sm" variant="light">{t(kindNames[k])}</Chip>)}
              </Group>
            </Chip.Group>
            <span className="dim2 num" style={{ marginLeft: 'auto' }} aria-live="polite">
              {q.data && t('errors.total', { n: q.data.total, count: int(q.data.total, lang) })} {q.data?.partial && <Tag tone="warn" title={t('partial.hint')}>{t('partial')}</Tag>}
            </span>
          </div>
          <div className={s.split}>
            {q.data ? <Groups items={q.data.items} by={by} sel={search.sel} range={search} more={q.data.more} onSel={(id) => set({ sel: id }, true)} /> : q.isPending && <Waiting />}
            {group && <GroupPanel group={group} range={search} filter={filter} onClose={() => set({ sel: undefined }, true)} />}
          </div>
        </>
      ) : (
        <Suspense fallback={<Waiting />}>
          <Spread field={tab === 'ttft' ? 'ttft' : 'duration'} scope={scope} range={search} />
        </Suspense>
      )}
    </Page>
  );
}
