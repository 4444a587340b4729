import { SegmentedControl, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useMemo } from 'react';
import { aggregateQuery } from '@/shared/api/queries';
import { chart, type Measure } from '@/shared/charts/series';
import { clause } from '@/shared/filter/clauses';
import { compact, durationShort, moneyShort } from '@/shared/format/format';
import { useT, type Key } from '@/shared/i18n';
import { EmptyPage } from '@/shared/snippets/EmptyPage';
import { fixed, type Range } from '@/shared/time/range';
import { useEnds } from '@/shared/time/useRange';
import { ErrorNotice, Page, PageBar, Spacer, bits } from '@/shared/ui/Bits';
import { RangePicker } from '@/shared/ui/RangePicker';
import { Budgets } from './Budgets';
import { fieldOf } from './drill';
import s from './Home.module.css';
import { Legend } from './Legend';
import { groupings, type Grouping } from './search';
import { Stats } from './Stats';
import { CostlySessions, FailingModels } from './Tables';

const TimeChart = lazy(() => import('@/shared/charts/TimeChart'));

interface Panel {
  measure: Measure;
  title: Key;
  kind: 'bar' | 'line';
  unit: (v: number) => string;
  more?: { text: Key; tab?: 'latency' };
}

const panels: Panel[] = [
  { measure: 'cost', title: 'm.cost', kind: 'bar', unit: moneyShort },
  { measure: 'calls', title: 'm.calls', kind: 'bar', unit: compact },
  { measure: 'tokens', title: 'm.tokens', kind: 'bar', unit: compact },
  { measure: 'errors', title: 'm.errors', kind: 'bar', unit: compact, more: { text: 'home.groups' } },
  { measure: 'p50', title: 'm.p50', kind: 'line', unit: durationShort },
  { measure: 'p95', title: 'm.p95', kind: 'line', unit: durationShort, more: { text: 'home.spread', tab: 'latency' } },
];

export function HomePage() {
  const t = useT();
  const go = useNavigate({ from: '/' });
  const search = useSearch({ from: '/app/' });
  const by = search.by ?? 'model';
  const range: Range = search;
  const { from, to } = useEnds(range);
  const q = useQuery(aggregateQuery({ from, to, group_by: by, limit: 8 }));
  const setRange = (r: Range) => void go({ search: { by: search.by, ...r } });
  const setBy = (v: string | null) => void go({ search: { ...search, by: groupings.find((g) => g === v) } });
  const [a, b] = [Date.parse(from), Date.parse(to)];
  const charts = useMemo(() => panels.map((p) => ({ ...p, data: chart(q.data, p.measure, a, b) })), [q.data, a, b]);
  const drill = (from: number, to: number, series?: string) => {
    const known = q.data?.series.some((x) => x.group === series && !x.other);
    void go({ to: '/traces', search: { ...fixed(from, to), q: known && series ? clause(fieldOf[by], [series]) : undefined } });
  };
  const empty = q.data?.totals.calls === 0 && (q.data.previous?.calls ?? 0) === 0;
  return (
    <Page>
      <PageBar title={t('nav.home')}>
        <Spacer />
        <SegmentedControl aria-label={t('home.by')} value={by} onChange={setBy} data={groupings.map((g) => ({ value: g, label: t(groupNames[g]) }))} visibleFrom="sm" />
        <Select aria-label={t('home.by')} value={by} onChange={setBy} allowDeselect={false} data={groupings.map((g) => ({ value: g, label: t(groupNames[g]) }))} hiddenFrom="sm" w={120} />
        <RangePicker value={range} onChange={setRange} />
      </PageBar>
      {q.isError && <ErrorNotice error={q.error} retry={() => void q.refetch()} />}
      {empty && !search.from && !search.r ? (
        <EmptyPage text={t('home.empty')} />
      ) : (
        <div className={bits.scroll} tabIndex={0} aria-label={t('nav.home')} role="region">
          <Stats totals={q.data?.totals} previous={q.data?.previous} />
          <Legend lines={charts[0]!.data.lines} onPick={(name) => drill(a, b, name)} />
          <div className={s.charts}>
            {charts.map((c) => (
              <section key={c.measure} className={s.chart}>
                <div className={s.chartHead}>
                  <h2>{t(c.title)}</h2>
                  {c.more && <Link to="/errors" search={{ r: range.r, from: range.from, to: range.to, tab: c.more.tab }} style={{ marginLeft: 'auto', fontSize: 12 }}>{t(c.more.text)}</Link>}
                </div>
                <Suspense fallback={<div className={s.ghost} />}>
                  <TimeChart chart={c.data} kind={c.kind} unit={c.unit} whole={c.unit === compact} label={t('chart.label', { what: t(c.title), by: t(groupNames[by]) })} group="home" step={q.data?.interval_ms ?? 60_000} onRange={(x, y) => setRange(fixed(x, y))} onPick={drill} />
                </Suspense>
              </section>
            ))}
          </div>
          <div className={s.tables}>
            <div>
              <FailingModels from={from} to={to} range={range} />
              <Budgets />
            </div>
            <CostlySessions from={from} to={to} />
          </div>
        </div>
      )}
    </Page>
  );
}

const groupNames: Record<Grouping, Key> = { model: 'f.model', user: 'f.user', key: 'f.key', team: 'f.team', client: 'f.client', status: 'f.status' };
