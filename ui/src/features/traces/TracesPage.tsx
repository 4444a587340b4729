import { ActionIcon, Box, Switch } from '@mantine/core';
import { useViewportSize } from '@mantine/hooks';
import { IconRefresh } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { pathsQuery } from '@/shared/api/observe';
import { countQuery, type Scope } from '@/shared/api/queries';
import { join } from '@/shared/filter/clauses';
import { FilterBar } from '@/shared/filter/FilterBar';
import { Facets } from '@/shared/filter/Facets';
import { int } from '@/shared/format/format';
import { useLang, useT, type Key } from '@/shared/i18n';
import { EmptyPage } from '@/shared/snippets/EmptyPage';
import { ends, isFixed, iso, type Range } from '@/shared/time/range';
import { useUsual } from '@/shared/time/useRange';
import { ErrorNotice, Page, PageBar, Tag } from '@/shared/ui/Bits';
import { DataTable } from '@/shared/ui/DataTable';
import { RangePicker } from '@/shared/ui/RangePicker';
import { Segments } from '@/shared/ui/Segments';
import { ExportMenu } from '@/shared/views/ExportMenu';
import { ViewsMenu } from '@/shared/views/ViewsMenu';
import { columns, orderPref, shownPref, specsOf, visible } from './columns';
import { Columns } from './ColumnsMenu';
import { markOf, type ListRow } from './rows';
import { views, type ListView, type TracesSearch } from './search';
import { idOf, merge, useLive } from './useLive';
import { useList, useView } from './useList';

const Bulk = lazy(() => import('./Bulk').then((m) => ({ default: m.Bulk })));
const Preview = lazy(() => import('./Preview').then((m) => ({ default: m.Preview })));

/** The filter of the calls view, as the server makes it. */
const callsOf = (filter: string) => (/\bkind\b/.test(filter) ? filter : join([filter, 'kind in ("generation", "embedding")', 'covered = false']));
const nothing: ReadonlySet<string> = new Set();
const viewNames: Record<ListView, Key> = { traces: 'view.traces', calls: 'view.calls', spans: 'view.spans' };
/** Scores have columns when asked for, or sorted by. */
const scoresShown = (list: { id: string }[], sort: string) => Object.fromEntries(list.filter((c) => c.id.startsWith('score.')).map((c) => [c.id, sort.endsWith(c.id)]));

/** Traces are sorted by fewer fields than spans. */
const sortIn = (view: string, sort?: string) => (view === 'traces' && sort && !/^-?(start|duration|cost|tokens|score\..+)$/.test(sort) ? undefined : sort);

export function TracesPage() {
  const t = useT();
  const lang = useLang();
  const search = useSearch({ from: '/app/traces' });
  const go = useNavigate({ from: '/traces' });
  const { width } = useViewportSize();
  const shown = shownPref.use();
  const [now, setNow] = useState(() => Date.now());
  const set = useCallback((s: Partial<TracesSearch>, replace = false) => void go({ search: (old) => ({ ...old, ...s }), replace }), [go]);

  const range: Range = search;
  const filter = search.q ?? '';
  const sort = search.sort ?? '-start';
  const { from, to } = ends(range, now, useUsual());
  const scope: Scope = useMemo(() => ({ filter, from: iso(from), to: isFixed({ from: search.from, to: search.to }) ? iso(to) : undefined }), [filter, from, to, search.from, search.to]);
  const live = search.live === '1' && sort === '-start' && scope.to === undefined;
  const view = useView(search.view);

  const q = useList(view, scope, sort, live);
  const count = useQuery(countQuery(view === 'calls' ? { ...scope, filter: callsOf(filter) } : scope));
  const arrived = useLive(live && view === 'spans', filter);
  const rows = useMemo<ListRow[]>(() => (live && view === 'spans' ? merge(arrived.rows, q.rows) : q.rows), [live, view, arrived.rows, q.rows]);
  const scores = useQuery({ ...pathsQuery('score', { from: scope.from, to: scope.to }, '', 8), retry: false });
  const order = orderPref.use();
  const list = useMemo(() => specsOf(view ?? 'spans', scores.data?.paths.map((p) => p.path) ?? [], order), [view, scores.data, order]);
  const cols = useMemo(() => columns(list, t, lang), [list, t, lang]);
  const visibility = useMemo(() => visible({ ...scoresShown(list, sort), ...shown }, width, list), [list, shown, width, sort]);
  const [picked, setPicked] = useState<ReadonlySet<string>>(nothing);
  const [at, setAt] = useState('');
  const here = `${view}|${filter}|${sort}`;
  if (at !== here) {
    setAt(here);
    setPicked(nothing);
  }

  const selected = search.open === '1' ? rows.find((r) => idOf(r) === search.sel) : undefined;
  const untouched = filter === '' && !search.r && !search.from;
  const empty = q.isSuccess && rows.length === 0 && untouched && !q.isPlaceholderData && view !== 'calls';
  return (
    <Page>
      <PageBar title={t('nav.traces')}>
        <Segments label={t('list.view')} value={view ?? 'spans'} onChange={(v) => set({ view: v, sel: undefined, open: undefined, sort: sortIn(v, search.sort) })} items={views.map((v) => ({ id: v, label: t(viewNames[v]) }))} />
        <FilterBar value={filter} onApply={(f) => set({ q: f || undefined, sel: undefined, open: undefined })} scope={scope} error={q.error} />
        <span className="num dim2" style={{ whiteSpace: 'nowrap' }} aria-live="polite">
          {count.data ? t(view === 'calls' ? 'calls.count' : 'spans.n', { n: count.data.count, count: int(count.data.count, lang) }) : ''} {q.partial && <Tag tone="warn" title={t('partial.hint')}>{t('partial')}</Tag>}
        </span>
        <Switch label={t('live')} checked={search.live === '1'} onChange={(e) => set({ live: e.currentTarget.checked ? '1' : undefined, ...(e.currentTarget.checked ? { sort: undefined, from: undefined, to: undefined } : {}) })} />
        {live && arrived.lost && <Tag tone="warn">{t('live.lost')}</Tag>}
        <RangePicker value={range} onChange={(r) => (setNow(Date.now()), set({ r: undefined, from: undefined, to: undefined, ...r }))} />
        <Box visibleFrom="sm">
          <Columns list={list} />
        </Box>
        <ViewsMenu page="traces" search={search} onOpen={(x) => void go({ search: x as TracesSearch })} />
        <Box visibleFrom="sm">
          <ExportMenu scope={scope} view={view === 'traces' ? 'traces' : 'spans'} />
        </Box>
        <ActionIcon aria-label={t('refresh')} title={t('refresh')} loading={q.isFetching && !q.isFetchingNextPage} onClick={() => (setNow(Date.now()), q.refetch())}>
          <IconRefresh size={16} />
        </ActionIcon>
      </PageBar>
      {q.isError && <ErrorNotice error={q.error} retry={q.refetch} />}
      <Suspense>{picked.size > 0 && view && <Bulk ids={picked} view={view} onClear={() => setPicked(nothing)} />}</Suspense>
      {empty ? (
        <EmptyPage text={t('traces.empty')} />
      ) : (
        <div style={{ display: 'flex', flex: 1, minHeight: 0 }}>
          {!(selected && width < 1700) && <Facets scope={scope} onApply={(f) => set({ q: f || undefined })} />}
          <DataTable
            name="traces" label={t('nav.traces')} columns={cols} rows={rows} id={idOf} visibility={visibility} sort={sort} onSort={(x) => set({ sort: x === '-start' ? undefined : x, live: undefined })}
            cursor={search.sel} onCursor={(id, open) => set({ sel: id, open: open ? '1' : search.open }, true)}
            onOpen={(r) => void go({ to: '/traces/$trace', params: { trace: r.trace }, search: r.whole ? {} : { span: r.id } })}
            bad={markOf} more={q.more}
            order={list.map((c) => c.id)} onOrder={orderPref.set} selected={picked} onSelect={width < 640 ? undefined : setPicked}
            foot={q.isFetchingNextPage || q.isPending || view === undefined ? t('loading') : rows.length === 0 ? t('none') : undefined}
          />
          <Suspense>{selected && <Preview row={selected} onClose={() => set({ open: undefined }, true)} onFilter={(f) => set({ q: f })} filter={filter} />}</Suspense>
        </div>
      )}
    </Page>
  );
}
