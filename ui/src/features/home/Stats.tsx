import type { Totals } from '@/shared/api/types';
import { change, compact, duration, int, moneyShort, percent } from '@/shared/format/format';
import { cacheShare } from '@/shared/format/usage';
import { useLang, useT, type Key } from '@/shared/i18n';
import s from './Home.module.css';

interface Stat {
  key: Key;
  of: (t: Totals) => number | null | undefined;
  show: (n: number | null | undefined, lang: string) => string;
  worse?: 'up' | 'down'; // the direction that deserves a colour
}

const tokens = (t: Totals) => t.input + t.cache_read + t.cache_write + t.output;

const stats: Stat[] = [
  { key: 'm.cost', of: (t) => t.cost_usd, show: (n) => moneyShort(n), worse: 'up' },
  { key: 'm.calls', of: (t) => t.calls, show: (n, l) => int(n, l) },
  { key: 'm.tokens', of: tokens, show: (n) => compact(n) },
  { key: 'm.cacheshare', of: (t) => cacheShare(t), show: (n) => percent(n, 1), worse: 'down' },
  { key: 'm.errorrate', of: (t) => (t.calls > 0 ? t.errors / t.calls : undefined), show: (n) => percent(n, 2), worse: 'up' },
  { key: 'm.p50', of: (t) => t.p50_ms, show: duration, worse: 'up' },
  { key: 'm.p95', of: (t) => t.p95_ms, show: duration, worse: 'up' },
  { key: 'm.ttft', of: (t) => t.ttft_p50_ms, show: duration, worse: 'up' },
];

const notable = 0.1;
const manifold = 9; // from ten times on, percents say nothing

export function Stats({ totals, previous }: { totals?: Totals; previous?: Totals }) {
  const t = useT();
  const lang = useLang();
  return (
    <div className={s.stats}>
      {stats.map((x) => {
        const now = totals && x.of(totals);
        const before = previous && x.of(previous);
        const d = now != null && before != null ? change(now, before) : undefined;
        const bad = d !== undefined && Math.abs(d) >= notable && ((x.worse === 'up' && d > 0) || (x.worse === 'down' && d < 0));
        return (
          <div key={x.key} className={s.stat}>
            <div className={s.label}>{t(x.key)}</div>
            <div className={s.value}>{totals ? x.show(now, lang) : ' '}</div>
            <div className={`${s.delta} ${bad ? 'warn' : ''}`} title={before != null ? t('home.before', { v: x.show(before, lang) }) : undefined}>
              {d === undefined ? t('home.nobefore') : `${d >= 0 ? '▲' : '▼'} ${d >= manifold ? '×' + compact(d + 1) : percent(Math.abs(d), Math.abs(d) < 0.1 ? 1 : 0)}`}
            </div>
          </div>
        );
      })}
    </div>
  );
}
