import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { int, when } from '../format/format';
import { useLang } from '../i18n';
import { dark, light } from '../theme/tokens';
import s from './Plain.module.css';

/** Counts by time (across) and value (upwards), drawn on a canvas: the more, the stronger. A click opens a cell. */
export function Heat({ times, edges, counts, unit, onPick, label }: { times: number[]; edges: number[]; counts: number[][]; unit: (v: number) => string; onPick: (from: number, to: number, at: number) => void; label: string }) {
  const lang = useLang();
  const scheme = useComputedColorScheme('light');
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hover, setHover] = useState<{ c: number; r: number }>();
  const rows = Math.max(0, edges.length - 1);
  useEffect(() => {
    const el = canvas.current!;
    const draw = () => paint(el, counts, rows, (scheme === 'dark' ? dark : light).accent);
    draw();
    const resize = new ResizeObserver(draw);
    resize.observe(el);
    return () => resize.disconnect();
  }, [counts, rows, scheme]);
  const cellAt = (e: React.MouseEvent) => {
    const b = canvas.current!.getBoundingClientRect();
    const c = Math.floor(((e.clientX - b.left) / b.width) * times.length);
    const r = rows - 1 - Math.floor(((e.clientY - b.top) / b.height) * rows);
    return c >= 0 && c < times.length && r >= 0 && r < rows ? { c, r } : undefined;
  };
  const pick = (e: React.MouseEvent) => {
    const at = cellAt(e);
    if (at && counts[at.c]![at.r]! > 0) onPick(edges[at.r]!, edges[at.r + 1]!, times[at.c]!);
  };
  const n = hover && counts[hover.c]?.[hover.r];
  const ticks = times.filter((_, i) => i % Math.ceil(times.length / 5) === 0);
  return (
    <figure className={s.figure}>
      <div className={s.heatBox}>
        <div className={s.heatAxis} aria-hidden>
          {[rows, Math.round(rows * 0.66), Math.round(rows * 0.33), 0].map((i, k) => <span key={k}>{unit(edges[i] ?? 0)}</span>)}
        </div>
        <canvas ref={canvas} className={s.heat} role="img" aria-label={label} onMouseMove={(e) => setHover(cellAt(e))} onMouseLeave={() => setHover(undefined)} onClick={pick} />
      </div>
      <div className={s.ticks} style={{ paddingLeft: 60 }} aria-hidden>
        {ticks.map((x) => <span key={x}>{when(x, lang).replace(/:\d\d$/, '')}</span>)}
      </div>
      <div className={s.caption} aria-live="off">
        {hover ? `${when(times[hover.c]!, lang)} · ${unit(edges[hover.r]!)} – ${unit(edges[hover.r + 1]!)} · ${int(n ?? 0, lang)}` : ' '}
      </div>
    </figure>
  );
}

function paint(el: HTMLCanvasElement, counts: number[][], rows: number, color: string): void {
  const g = el.getContext('2d');
  if (!g || counts.length === 0 || rows === 0) return;
  const ratio = window.devicePixelRatio || 1;
  el.width = el.clientWidth * ratio;
  el.height = el.clientHeight * ratio;
  g.clearRect(0, 0, el.width, el.height);
  const top = Math.max(1, ...counts.flat());
  const [w, h] = [el.width / counts.length, el.height / rows];
  g.fillStyle = color;
  counts.forEach((col, c) =>
    col.forEach((n, r) => {
      if (n === 0) return;
      g.globalAlpha = 0.12 + 0.88 * (Math.log1p(n) / Math.log1p(top));
      g.fillRect(Math.floor(c * w), Math.floor(el.height - (r + 1) * h), Math.max(1, Math.ceil(w) - ratio), Math.max(1, Math.ceil(h) - ratio));
    }),
  );
}
