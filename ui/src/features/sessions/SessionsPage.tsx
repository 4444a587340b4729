import { useViewportSize } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { sessionsQuery, type Scope } from '@/shared/api/queries';
import { FilterBar } from '@/shared/filter/FilterBar';
import { useLang, useT } from '@/shared/i18n';
import { EmptyPage } from '@/shared/snippets/EmptyPage';
import { ends, isFixed, iso } from '@/shared/time/range';
import { useUsual } from '@/shared/time/useRange';
import { ErrorNotice, Page, PageBar } from '@/shared/ui/Bits';
import { DataTable } from '@/shared/ui/DataTable';
import { RangePicker } from '@/shared/ui/RangePicker';
import { ViewsMenu } from '@/shared/views/ViewsMenu';
import { columns } from './columns';
import type { SessionsSearch } from './search';

export function SessionsPage() {
  const t = useT();
  const lang = useLang();
  const search = useSearch({ from: '/app/sessions' });
  const go = useNavigate({ from: '/sessions' });
  const { width } = useViewportSize();
  const [now, setNow] = useState(() => Date.now());
  const set = (s: Partial<SessionsSearch>, replace = false) => void go({ search: (old) => ({ ...old, ...s }), replace });
  const { from, to } = ends(search, now, useUsual());
  const fixed = isFixed(search);
  const scope: Scope = useMemo(() => ({ filter: search.q ?? '', from: iso(from), to: fixed ? iso(to) : undefined }), [search.q, from, to, fixed]);
  const q = useInfiniteQuery({ ...sessionsQuery(scope, 100), refetchInterval: (x) => (x.state.data?.pages[0]?.items.length === 0 ? 3000 : false) });
  const rows = useMemo(() => q.data?.pages.flatMap((p) => p.items) ?? [], [q.data]);
  const scored = rows.some((r) => (r.scores?.length ?? 0) > 0);
  const cols = useMemo(() => columns(t, lang, width < 760, scored), [t, lang, width, scored]);
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = q;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const openPage = (session: string) => void go({ to: '/sessions/$session', params: { session } });
  const empty = q.isSuccess && rows.length === 0 && !search.q && !search.r && !search.from && !q.isPlaceholderData;
  return (
    <Page>
      <PageBar title={t('nav.sessions')}>
        <FilterBar value={search.q ?? ''} onApply={(f) => set({ q: f || undefined })} scope={scope} error={q.error} />
        <RangePicker value={search} onChange={(r) => (setNow(Date.now()), set({ r: undefined, from: undefined, to: undefined, ...r }))} />
        <ViewsMenu page="sessions" search={search} onOpen={(x) => void go({ search: x as SessionsSearch })} />
      </PageBar>
      {q.isError && <ErrorNotice error={q.error} retry={() => void q.refetch()} />}
      {empty ? (
        <EmptyPage text={t('sessions.empty')} />
      ) : (
        <DataTable
          name="sessions" label={t('nav.sessions')} columns={cols} rows={rows} id={(r) => r.session} cursor={search.sel} more={more}
          onCursor={(id, open) => (open && id ? openPage(id) : set({ sel: id }, true))} onOpen={(r) => openPage(r.session)} bad={(r) => (r.errors > 0 ? 'bad' : undefined)}
          foot={q.isPending || isFetchingNextPage ? t('loading') : rows.length === 0 ? t('none') : undefined}
        />
      )}
    </Page>
  );
}
