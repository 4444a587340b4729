import { useElementSize } from '@mantine/hooks';
import { int } from '../format/format';
import { useLang, useT } from '../i18n';
import { merged, type Bucket } from './buckets';
import s from './Plain.module.css';

const barMin = 25; // px
/** Bars of equal width over logarithmic buckets; what failed is the red part. A bar leads to its calls, and is wide enough to be hit. */
export function Histogram({ buckets: all, marks, unit, onPick, label }: { buckets: Bucket[]; marks: { name: string; at: number }[]; unit: (v: number) => string; onPick: (from: number, to: number) => void; label: string }) {
  const t = useT();
  const lang = useLang();
  const { ref, width } = useElementSize();
  const buckets = merged(all, width > 0 ? Math.max(1, Math.floor(width / barMin)) : all.length);
  const top = Math.max(1, ...buckets.map((b) => b.count));
  const placed = marks.flatMap((m) => {
    const i = buckets.findIndex((b) => m.at <= b.to);
    const b = buckets[i];
    if (!b) return [];
    const within = b.to > b.from ? Math.log(Math.max(m.at, b.from) / Math.max(b.from, 1e-9)) / Math.log(b.to / Math.max(b.from, 1e-9)) : 0;
    return [{ ...m, x: ((i + Math.min(1, Math.max(0, within || 0))) / buckets.length) * 100 }];
  });
  const ticks = buckets.filter((_, i) => i % Math.ceil(buckets.length / 6) === 0);
  return (
    <figure className={s.figure} aria-label={label} ref={ref}>
      <div className={s.bars}>
        {buckets.map((b) => (
          <button key={b.from} type="button" className={s.barBox} tabIndex={b.count > 0 ? 0 : -1} disabled={b.count === 0} onClick={() => onPick(b.from, b.to)} aria-label={`${unit(b.from)} – ${unit(b.to)}: ${t('calls.n', { n: b.count })}`} title={`${unit(b.from)} – ${unit(b.to)}\n${int(b.count, lang)}${b.errors > 0 ? ` · ${t('errors.n', { n: b.errors })}` : ''}`}>
            <span className={s.bar} style={{ height: `${Math.max(b.count > 0 ? 1 : 0, (b.count / top) * 100)}%` }}>
              {b.errors > 0 && <span className={s.failed} style={{ height: `${(b.errors / b.count) * 100}%` }} />}
            </span>
          </button>
        ))}
        {placed.map((m, i) => (
          <span key={m.name} className={s.mark} style={{ left: `${m.x}%` }} aria-hidden>
            <span style={{ top: (i % 2) * 14 }}>{m.name}</span>
          </span>
        ))}
      </div>
      <div className={s.ticks} aria-hidden>
        {ticks.map((b) => <span key={b.from}>{unit(b.from)}</span>)}
        <span>{unit(buckets.at(-1)?.to ?? 0)}</span>
      </div>
    </figure>
  );
}
