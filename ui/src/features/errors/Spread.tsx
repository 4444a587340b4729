import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { heatmapQuery, histogramQuery } from '@/shared/api/observe';
import type { Scope } from '@/shared/api/queries';
import { Heat } from '@/shared/charts/Heat';
import { Histogram } from '@/shared/charts/Histogram';
import { duration, int } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { fixed, type Range } from '@/shared/time/range';
import { ErrorNotice, Waiting, bits } from '@/shared/ui/Bits';
import s from './Errors.module.css';
import { both, times } from './links';

/** How long calls take: a histogram with logarithmic buckets, and the same over time. A click opens the calls of a bucket. */
export function Spread({ field, scope, range }: { field: 'duration' | 'ttft'; scope: Scope; range: Range }) {
  const t = useT();
  const lang = useLang();
  const go = useNavigate();
  const h = useQuery(histogramQuery(field, scope));
  const m = useQuery(heatmapQuery(field, scope));
  const ms = (v: number) => `${Math.max(0, Number(v.toPrecision(6)))}ms`;
  const within = (a: number, b: number) => both(scope.filter, `${field} >= ${ms(a)} and ${field} <= ${ms(b)}`);
  const drill = (a: number, b: number, r: Range = times(range)) => void go({ to: '/traces', search: { ...r, view: 'calls', q: within(a, b), sort: field === 'ttft' ? '-ttft' : '-duration' } });
  if (h.isPending || m.isPending) return <Waiting />;
  if (h.isError || m.isError) return <ErrorNotice error={h.error ?? m.error} />;
  const d = h.data;
  const marks = [['p50', d.p50], ['p90', d.p90], ['p95', d.p95], ['p99', d.p99]] as const;
  if (d.count === 0) return <div className={s.quiet}>{t('spread.none')}</div>;
  return (
    <div className={bits.scroll} tabIndex={0} role="region" aria-label={t('errors.latency')}>
      <div className={s.spread}>
        <div className={s.marks}>
          <span className="num">{t('spread.n', { n: d.count, count: int(d.count, lang) })}</span>
          {marks.map(([name, v]) => v != null && (
            <span key={name}>
              <span className="dim2">{name}</span> <strong className="num">{duration(v)}</strong>{' '}
              <Link to="/traces" search={{ ...times(range), view: 'calls', q: both(scope.filter, `${field} >= ${ms(v)}`) }} style={{ textDecoration: 'underline' }}>{t('spread.slower')}</Link>
            </span>
          ))}
        </div>
        <section>
          <h2>{t(field === 'ttft' ? 'errors.ttft' : 'errors.latency')}</h2>
          <Histogram buckets={d.buckets} marks={marks.flatMap(([name, v]) => (v == null ? [] : [{ name, at: v }]))} unit={duration} onPick={drill} label={t('spread.label', { n: d.count })} />
        </section>
        <section>
          <h2>{t('spread.time')}</h2>
          <Heat times={m.data.intervals.map((x) => Date.parse(x))} edges={m.data.edges} counts={m.data.counts.map((c) => c ?? [])} unit={duration} onPick={(a, b, at) => drill(a, b, fixed(at, at + m.data.interval_ms))} label={t('spread.time')} />
        </section>
      </div>
    </div>
  );
}
