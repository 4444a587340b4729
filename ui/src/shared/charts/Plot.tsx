import { useElementSize } from '@mantine/hooks';
import { useLang } from '../i18n';
import { when } from '../format/format';
import s from './Plain.module.css';

export interface PlotPoint {
  t: string;
  value: number | null | undefined;
  bad?: number; // part of the value that failed, for columns
}

const pad = { left: 56, right: 8, top: 8, bottom: 18 };

/** A small chart of one series, with a threshold if there is one: a line, or columns for counts by day. */
export function Plot({ points, kind = 'line', unit, threshold, above = true, height = 140, label, whole = false, tick }: { points: PlotPoint[]; kind?: 'line' | 'column'; unit: (v: number) => string; threshold?: number; above?: boolean; height?: number; label: string; whole?: boolean; tick?: (iso: string) => string }) {
  const lang = useLang();
  const { ref, width } = useElementSize();
  const values = points.flatMap((p) => (p.value == null ? [] : [p.value]));
  const highest = Math.max(0, ...values, threshold !== undefined && Number.isFinite(threshold) ? threshold * 1.15 : 0);
  const top = nice(highest || 1, whole);
  const w = Math.max(0, width - pad.left - pad.right);
  const h = height - pad.top - pad.bottom;
  const x = (i: number) => pad.left + (kind === 'column' ? ((i + 0.5) / points.length) * w : points.length > 1 ? (i / (points.length - 1)) * w : w / 2);
  const y = (v: number) => pad.top + h - (Math.min(v, top) / top) * h;
  const limit = threshold !== undefined && Number.isFinite(threshold) && threshold >= 0 ? y(threshold) : undefined;
  const label2 = tick ?? ((iso: string) => when(iso, lang).replace(/:\d\d$/, ''));
  const ticks = points.length === 0 ? [] : [...new Set([0, Math.floor((points.length - 1) / 2), points.length - 1])];
  return (
    <div ref={ref}>
      <svg className={s.plot} height={height} width={width || undefined} role="img" aria-label={`${label}: ${values.map((v) => unit(v)).slice(-12).join(', ')}`}>
        {[0, 0.5, 1].map((f) => (
          <g key={f}>
            <line className={s.grid} x1={pad.left} x2={pad.left + w} y1={y(top * f)} y2={y(top * f)} />
            <text x={pad.left - 6} y={y(top * f) + 4} textAnchor="end">{unit(top * f)}</text>
          </g>
        ))}
        {limit !== undefined && <rect className={s.over} x={pad.left} width={w} y={above ? pad.top : limit} height={Math.max(0, above ? limit - pad.top : pad.top + h - limit)} />}
        {kind === 'line' ? <Line points={points} x={x} y={y} /> : <Columns points={points} x={x} y={y} width={(w / Math.max(1, points.length)) * 0.76} base={pad.top + h} unit={unit} />}
        {limit !== undefined && <line className={s.limit} x1={pad.left} x2={pad.left + w} y1={limit} y2={limit} />}
        {ticks.map((i, k) => (
          <text key={i} x={x(i)} y={height - 4} textAnchor={ticks.length > 1 && k === 0 ? 'start' : k === ticks.length - 1 && ticks.length > 1 ? 'end' : 'middle'}>{label2(points[i]!.t)}</text>
        ))}
      </svg>
    </div>
  );
}

type Scale = (v: number) => number;

function Line({ points, x, y }: { points: PlotPoint[]; x: Scale; y: Scale }) {
  let pen = false;
  const d = points.map((p, i) => {
    if (p.value == null) {
      pen = false;
      return '';
    }
    const step = `${pen ? 'L' : 'M'}${x(i).toFixed(1)} ${y(p.value).toFixed(1)}`;
    pen = true;
    return step;
  });
  return (
    <>
      <path className={s.line} d={d.join('')} />
      {points.map((p, i) => p.value != null && points[i - 1]?.value == null && points[i + 1]?.value == null && <circle key={p.t} className={s.dot} cx={x(i)} cy={y(p.value)} r={2.5} />)}
    </>
  );
}

function Columns({ points, x, y, width, base, unit }: { points: PlotPoint[]; x: Scale; y: Scale; width: number; base: number; unit: (v: number) => string }) {
  return (
    <>
      {points.map((p, i) => p.value != null && p.value > 0 && (
        <g key={p.t}>
          <title>{`${p.t.slice(0, 10)}: ${unit(p.value)}`}</title>
          <rect className={s.column} x={x(i) - width / 2} width={Math.max(1, width)} y={y(p.value)} height={base - y(p.value)} />
          {p.bad ? <rect className={s.columnErr} x={x(i) - width / 2} width={Math.max(1, width)} y={y(p.bad)} height={base - y(p.bad)} /> : null}
        </g>
      ))}
    </>
  );
}

/** The next round number at or above v; even where halves would mean nothing. */
export function nice(v: number, whole = false): number {
  const p = 10 ** Math.floor(Math.log10(v));
  const m = [1, 2, 2.5, 5, 10].find((k) => k * p >= v * 0.999) ?? 10;
  const n = m * p;
  return whole ? Math.max(2, Math.ceil(n / 2) * 2) : n;
}
