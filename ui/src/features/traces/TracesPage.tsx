import { ActionIcon, Box, Checkbox, Menu, Switch } from '@mantine/core';
import { useViewportSize } from '@mantine/hooks';
import { IconColumns3, IconRefresh } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { countQuery, tracesQuery, type Scope } from '@/shared/api/queries';
import { FilterBar } from '@/shared/filter/FilterBar';
import { Facets } from '@/shared/filter/Facets';
import { int } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { EmptyPage } from '@/shared/snippets/EmptyPage';
import { ends, isFixed, iso, type Range } from '@/shared/time/range';
import { useUsual } from '@/shared/time/useRange';
import { ErrorNotice, Page, PageBar, Tag } from '@/shared/ui/Bits';
import { DataTable } from '@/shared/ui/DataTable';
import { RangePicker } from '@/shared/ui/RangePicker';
import { columns, shownPref, specs, visible } from './columns';
import type { TracesSearch } from './search';
import { idOf, merge, useLive } from './useLive';

const Preview = lazy(() => import('./Preview').then((m) => ({ default: m.Preview })));

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

  const q = useInfiniteQuery({ ...tracesQuery(scope, sort), refetchInterval: (x) => (x.state.data?.pages[0]?.items.length === 0 ? 3000 : false) });
  const count = useQuery(countQuery(scope));
  const arrived = useLive(live, filter);
  const loaded = useMemo(() => q.data?.pages.flatMap((p) => p.items) ?? [], [q.data]);
  const rows = useMemo(() => (live ? merge(arrived.rows, loaded) : loaded), [live, arrived.rows, loaded]);
  const cols = useMemo(() => columns(t, lang), [t, lang]);
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = q;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  const selected = search.open === '1' ? rows.find((r) => idOf(r) === search.sel) : undefined;
  const untouched = filter === '' && !search.r && !search.from;
  const empty = q.isSuccess && rows.length === 0 && untouched && !q.isPlaceholderData;
  return (
    <Page>
      <PageBar title={t('nav.traces')}>
        <FilterBar value={filter} onApply={(f) => set({ q: f || undefined, sel: undefined, open: undefined })} scope={scope} error={q.error} />
        <span className="num dim2" style={{ whiteSpace: 'nowrap' }} aria-live="polite">
          {count.data ? t('rows.n', { n: count.data.count, count: int(count.data.count, lang) }) : ''} {q.data?.pages[0]?.partial && <Tag tone="warn" title={t('partial.hint')}>{t('partial')}</Tag>}
        </span>
        <Switch label={t('live')} checked={search.live === '1'} onChange={(e) => set({ live: e.currentTarget.checked ? '1' : undefined, ...(e.currentTarget.checked ? { sort: undefined, from: undefined, to: undefined } : {}) })} />
        {live && arrived.lost && <Tag tone="warn">{t('live.lost')}</Tag>}
        <RangePicker value={range} onChange={(r) => (setNow(Date.now()), set({ r: undefined, from: undefined, to: undefined, ...r }))} />
        <Box visibleFrom="sm">
          <Columns />
        </Box>
        <ActionIcon aria-label={t('refresh')} title={t('refresh')} loading={q.isFetching && !q.isFetchingNextPage} onClick={() => (setNow(Date.now()), void q.refetch())}>
          <IconRefresh size={16} />
        </ActionIcon>
      </PageBar>
      {q.isError && <ErrorNotice error={q.error} retry={() => void q.refetch()} />}
      {empty ? (
        <EmptyPage text={t('traces.empty')} />
      ) : (
        <div style={{ display: 'flex', flex: 1, minHeight: 0 }}>
          {!(selected && width < 1700) && <Facets scope={scope} onApply={(f) => set({ q: f || undefined })} />}
          <DataTable
            name="traces" label={t('nav.traces')} columns={cols} rows={rows} id={idOf} visibility={visible(shown, width)} sort={sort} onSort={(x) => set({ sort: x === '-start' ? undefined : x, live: undefined })}
            cursor={search.sel} onCursor={(id, open) => set({ sel: id, open: open ? '1' : search.open }, true)}
            onOpen={(r) => void go({ to: '/traces/$trace', params: { trace: r.trace }, search: { span: r.id } })}
            bad={(r) => (r.status === 'error' ? 'bad' : r.status === 'ok' ? undefined : 'warn')} more={more}
            foot={q.isFetchingNextPage || q.isPending ? t('loading') : rows.length === 0 ? t('none') : undefined}
          />
          <Suspense>{selected && <Preview row={selected} onClose={() => set({ open: undefined }, true)} onFilter={(f) => set({ q: f })} filter={filter} />}</Suspense>
        </div>
      )}
    </Page>
  );
}

function Columns() {
  const t = useT();
  const shown = shownPref.use();
  return (
    <Menu closeOnItemClick={false} position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label={t('columns')} title={t('columns')}>
          <IconColumns3 size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {specs.map((c) => (
          <Menu.Item key={c.id} role="menuitemcheckbox" aria-checked={shown[c.id] !== false} onClick={() => shownPref.set({ ...shown, [c.id]: shown[c.id] === false })} leftSection={<Checkbox.Indicator size="xs" checked={shown[c.id] !== false} />}>
            {t(c.label)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
