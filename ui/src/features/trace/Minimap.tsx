import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef, useState, type RefObject } from 'react';
import { dark, light, type Token } from '@/shared/theme/tokens';
import { failed } from './columns';
import { sums, type Plan, type Rows } from './rows';
import s from './Tree.module.css';
import { rowHeight } from './TreeRow';
import type { TreeState } from './useTree';

export interface Zoom {
  from: number;
  to: number;
}

const dragged = 6; // px from which a press means a span of time and not a place

/** All rows at once, one line each: a click goes there, a drag across zooms to that time. The keys do the same without it. */
export function Minimap({ tree, box, zoom, onZoom, onRow }: { tree: TreeState; box: RefObject<HTMLElement | null>; zoom: Zoom | undefined; onZoom: (z: Zoom | undefined) => void; onRow: (at: number) => void }) {
  const { p, r } = tree;
  const canvas = useRef<HTMLCanvasElement>(null);
  const band = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ from: number; to: number }>();
  const scheme = useComputedColorScheme('light');
  useEffect(() => {
    const el = canvas.current;
    if (!el) return;
    const again = () => draw(el, p, r, scheme === 'dark' ? dark : light);
    const watch = new ResizeObserver(again);
    watch.observe(el);
    return () => watch.disconnect();
  }, [p, r, scheme]);
  useEffect(() => followScroll(box.current, band.current, r.list.length), [box, r]);
  const at = (e: React.PointerEvent) => {
    const b = e.currentTarget.getBoundingClientRect();
    return { x: Math.min(1, Math.max(0, (e.clientX - b.left) / b.width)), y: (e.clientY - b.top) / b.height, w: b.width };
  };
  const down = (e: React.PointerEvent) => {
    e.currentTarget.setPointerCapture(e.pointerId);
    const { x } = at(e);
    setDrag({ from: x, to: x });
  };
  const up = (e: React.PointerEvent) => {
    if (!drag) return;
    const { y, w } = at(e);
    const [a, b] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
    setDrag(undefined);
    if ((b - a) * w < dragged) onRow(Math.floor(y * r.list.length));
    else onZoom({ from: a * p.f.total, to: b * p.f.total });
  };
  const shown = drag ? { from: Math.min(drag.from, drag.to), to: Math.max(drag.from, drag.to) } : zoom && { from: zoom.from / p.f.total, to: zoom.to / p.f.total };
  return (
    <div className={s.map} aria-hidden onPointerDown={down} onPointerMove={(e) => drag && setDrag({ ...drag, to: at(e).x })} onPointerUp={up} onDoubleClick={() => onZoom(undefined)}>
      <canvas ref={canvas} />
      <div ref={band} className={s.band} />
      {shown && shown.to > shown.from && (
        <>
          <div className={s.shade} style={{ left: 0, width: `${shown.from * 100}%` }} />
          <div className={s.shade} style={{ left: `${shown.to * 100}%`, right: 0 }} />
        </>
      )}
    </div>
  );
}

/** Moves the band with the list without drawing anything anew. */
function followScroll(el: HTMLElement | null, band: HTMLElement | null, rows: number): (() => void) | undefined {
  if (!el || !band) return undefined;
  const move = () => {
    const all = Math.max(rows * rowHeight, el.clientHeight);
    band.style.top = `${(el.scrollTop / all) * 100}%`;
    band.style.height = `${(el.clientHeight / all) * 100}%`;
  };
  move();
  el.addEventListener('scroll', move, { passive: true });
  return () => el.removeEventListener('scroll', move);
}

function draw(el: HTMLCanvasElement, p: Plan, r: Rows, tokens: Record<Token, string>): void {
  const scale = window.devicePixelRatio || 1;
  const { clientWidth: w, clientHeight: h } = el;
  el.width = w * scale;
  el.height = h * scale;
  const g = el.getContext('2d');
  if (!g) return;
  g.scale(scale, scale);
  const n = r.list.length;
  const tall = Math.max(1, Math.min(4, h / n - 0.5));
  const { c } = p.f;
  const line = (i: number, color: string) => {
    const x = sums(p, r.list[i]!);
    g.fillStyle = color;
    g.fillRect((x.start / p.f.total) * w, (i / n) * h, Math.max(1, (x.took / p.f.total) * w), tall);
  };
  const every = Math.max(1, Math.floor(n / (h * 12))); // more than a dozen on one pixel line cannot be told apart
  for (let i = 0; i < n; i += every) {
    const row = r.list[i]!;
    line(i, tokens[`kind-${row < c.n ? c.kinds[row]! : 'span'}` as Token] ?? tokens['kind-span']);
  }
  for (let i = 0; i < n; i++) if (r.list[i]! < c.n && failed(c, r.list[i]!)) line(i, tokens.err);
}
