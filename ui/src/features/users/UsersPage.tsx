import { useViewportSize } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { usersQuery } from '@/shared/api/observe';
import type { Scope } from '@/shared/api/queries';
import { FilterBar } from '@/shared/filter/FilterBar';
import { useLang, useT } from '@/shared/i18n';
import { EmptyPage } from '@/shared/snippets/EmptyPage';
import { ends, isFixed, iso } from '@/shared/time/range';
import { useUsual } from '@/shared/time/useRange';
import { ErrorNotice, Page, PageBar } from '@/shared/ui/Bits';
import { DataTable } from '@/shared/ui/DataTable';
import { RangePicker } from '@/shared/ui/RangePicker';
import { ViewsMenu } from '@/shared/views/ViewsMenu';
import { columns, nameOf } from './columns';
import { sorts, type UsersSearch } from './search';

/** Who uses models, what it cost, and how it went. */
export function UsersPage() {
  const t = useT();
  const lang = useLang();
  const search = useSearch({ from: '/app/users' });
  const go = useNavigate({ from: '/users' });
  const { width } = useViewportSize();
  const [now, setNow] = useState(() => Date.now());
  const set = (s: Partial<UsersSearch>, replace = false) => void go({ search: (old) => ({ ...old, ...s }), replace });
  const { from, to } = ends(search, now, useUsual());
  const fixed = isFixed(search);
  const scope: Scope = useMemo(() => ({ filter: search.q ?? '', from: iso(from), to: fixed ? iso(to) : undefined }), [search.q, from, to, fixed]);
  const sort = search.sort ?? '-cost';
  const q = useInfiniteQuery(usersQuery(scope, sort));
  const rows = useMemo(() => q.data?.pages.flatMap((p) => p.items).filter((u) => nameOf(u) !== '') ?? [], [q.data]);
  const scores = useMemo(() => [...new Set(rows.flatMap((r) => r.scores.map((x) => x.name)))].slice(0, 3), [rows]);
  const cols = useMemo(() => columns(t, lang, width < 760, scores), [t, lang, width, scores]);
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = q;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const open = (user: string) => void go({ to: '/users/$user', params: { user }, search: { r: search.r, from: search.from, to: search.to } });
  const empty = q.isSuccess && rows.length === 0 && !search.q && !search.r && !search.from && !q.isPlaceholderData;
  return (
    <Page>
      <PageBar title={t('nav.users')}>
        <FilterBar value={search.q ?? ''} onApply={(f) => set({ q: f || undefined })} scope={scope} error={q.error} />
        <RangePicker value={search} onChange={(r) => (setNow(Date.now()), set({ r: undefined, from: undefined, to: undefined, ...r }))} />
        <ViewsMenu page="users" search={search} onOpen={(x) => void go({ search: x as UsersSearch })} />
      </PageBar>
      {q.isError && <ErrorNotice error={q.error} retry={() => void q.refetch()} />}
      {empty ? (
        <EmptyPage text={t('users.empty')} only={['openai', 'otel-python', 'otel-js', 'curl']} />
      ) : (
        <DataTable
          name="users" label={t('nav.users')} columns={cols} rows={rows} id={nameOf} cursor={search.sel} more={more} sort={sort} onSort={(x) => set({ sort: sorts.find((y) => y === '-' + x.replace('-', '')) })}
          onCursor={(id, on) => (on && id ? open(id) : set({ sel: id }, true))} onOpen={(u) => open(nameOf(u))}
          foot={q.isPending || isFetchingNextPage ? t('loading') : rows.length === 0 ? t('none') : undefined}
        />
      )}
    </Page>
  );
}
