import { keepPreviousData, queryOptions, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { get } from '@/shared/api/client';
import { aggregateQuery, sessionsQuery } from '@/shared/api/queries';
import type { Aggregate } from '@/shared/api/types';
import { clause } from '@/shared/filter/clauses';
import { int, money, percent } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import type { Range } from '@/shared/time/range';
import { TokenBar } from '@/shared/ui/Bits';
import s from './Home.module.css';

const top = 8;

export function FailingModels({ from, to, range }: { from: string; to: string; range: Range }) {
  const t = useT();
  const lang = useLang();
  const q = useQuery(aggregateQuery({ from, to, filter: '', group_by: 'model', interval: 'none', limit: 50 }));
  const rows = (q.data?.series ?? []).filter((x) => x.totals.errors > 0).sort((a, b) => b.totals.errors - a.totals.errors).slice(0, top);
  return (
    <section>
      <h2>{t('home.failing')}</h2>
      {rows.length === 0 ? (
        <div className={s.quiet}>{q.data ? t('home.failing.none') : ' '}</div>
      ) : (
        <table className={s.table}>
          <thead>
            <tr>
              <th>{t('f.model')}</th>
              <th className={s.right} style={{ width: 90 }}>{t('m.errors')}</th>
              <th className={s.right} style={{ width: 90 }}>{t('m.calls')}</th>
              <th className={s.right} style={{ width: 80 }}>{t('m.errorrate')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((x) => (
              <tr key={x.group}>
                <td>
                  <Link to="/traces" search={{ r: range.r, from: range.from, to: range.to, q: `${clause('model', [x.group])} and status = "error"` }}>
                    {x.group || t('unset')}
                  </Link>
                </td>
                <td className={`${s.right} err`}>{int(x.totals.errors, lang)}</td>
                <td className={s.right}>{int(x.totals.calls, lang)}</td>
                <td className={s.right}>{percent(x.totals.errors / Math.max(1, x.totals.calls), 1)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** The sessions that cost most, by id: the list itself is sorted by time. */
const costlyQuery = (from: string, to: string) =>
  queryOptions({
    queryKey: ['aggregate', 'costly', from, to],
    queryFn: ({ signal }) => get<Aggregate>('/aggregate', { from, to, measure: 'cost', only: 'true', group_by: 'session', interval: 'none', limit: top }, signal),
    placeholderData: keepPreviousData,
  });

export function CostlySessions({ from, to }: { from: string; to: string }) {
  const t = useT();
  const lang = useLang();
  const costly = useQuery(costlyQuery(from, to));
  const ids = (costly.data?.series ?? []).filter((x) => !x.other && x.group !== '').map((x) => x.group);
  const q = useInfiniteQuery({ ...sessionsQuery({ filter: clause('session', ids), from, to }, top), enabled: ids.length > 0 });
  const rows = (ids.length > 0 ? (q.data?.pages[0]?.items ?? []) : []).toSorted((a, b) => b.cost_usd - a.cost_usd).slice(0, top);
  return (
    <section>
      <h2>{t('home.costly')}</h2>
      {rows.length === 0 ? (
        <div className={s.quiet}>{costly.data ? t('home.costly.none') : ' '}</div>
      ) : (
        <table className={s.table}>
          <thead>
            <tr>
              <th>{t('f.session')}</th>
              <th className={s.hide} style={{ width: 110 }}>{t('f.client')}</th>
              <th className={s.right} style={{ width: 76 }}>{t('m.calls')}</th>
              <th className={s.hide} style={{ width: 84 }}>{t('m.tokens')}</th>
              <th className={s.right} style={{ width: 104 }}>{t('m.cost')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((x) => (
              <tr key={x.session}>
                <td>
                  <Link to="/sessions/$session" params={{ session: x.session }}>
                    {x.name || x.session}
                  </Link>
                </td>
                <td className={s.hide}>{x.client}</td>
                <td className={s.right}>{int(x.calls, lang)}</td>
                <td className={s.hide}><TokenBar usage={x.usage} /></td>
                <td className={s.right}>{money(x.cost_usd, lang)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
