import { useComputedColorScheme } from '@mantine/core';
import { BarChart, LineChart } from 'echarts/charts';
import { AxisPointerComponent, GridComponent, TooltipComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef, useState } from 'react';
import { useLang, useT } from '../i18n';
import * as tokens from '../theme/tokens';
import { option, type Look } from './option';
import type { Chart } from './series';
import s from './TimeChart.module.css';

echarts.use([BarChart, LineChart, GridComponent, TooltipComponent, AxisPointerComponent, CanvasRenderer]);

export interface TimeChartProps {
  chart: Chart;
  kind: 'bar' | 'line';
  unit: (v: number) => string;
  label: string;
  group: string; // charts of one group share their crosshair
  onRange: (from: number, to: number) => void;
  onPick: (from: number, to: number, series?: string) => void;
  step: number;
  dashed?: (name: string) => boolean;
  whole?: boolean;
}

function look(scheme: 'light' | 'dark'): Look {
  const dark = scheme === 'dark';
  const t = dark ? tokens.dark : tokens.light;
  return { series: dark ? tokens.seriesDark : tokens.seriesLight, other: dark ? tokens.otherDark : tokens.otherLight, line: t.line, line2: t['line-2'], text: t['text-3'], bg: t.bg, strong: t.text, accent: t.accent };
}

const dragMin = 6;

export default function TimeChart(p: TimeChartProps) {
  const t = useT();
  const lang = useLang();
  const scheme = useComputedColorScheme('light');
  const box = useRef<HTMLDivElement>(null);
  const inst = useRef<echarts.ECharts | null>(null);
  const props = useRef(p);
  const [drag, setDrag] = useState<{ x: number; w: number } | null>(null);
  useEffect(() => {
    props.current = p;
  });

  useEffect(() => {
    const el = box.current!;
    const chart = echarts.init(el);
    inst.current = chart;
    chart.group = p.group;
    echarts.connect(p.group);
    const resize = new ResizeObserver(() => chart.resize());
    resize.observe(el);
    const stop = pointer(chart, el, () => props.current, setDrag);
    return () => {
      stop();
      resize.disconnect();
      chart.dispose();
    };
  }, [p.group]);

  useEffect(() => {
    inst.current?.setOption(option(p.chart, { kind: p.kind, unit: p.unit, lang, look: look(scheme), other: t('other'), none: t('unset'), dashed: p.dashed, whole: p.whole, active: () => box.current?.matches(':hover') ?? false }), { notMerge: true });
  }, [p.chart, p.kind, p.unit, p.dashed, p.whole, lang, scheme, t]);

  return (
    <div className={s.box}>
      <div ref={box} className={s.canvas} role="img" aria-label={p.label} />
      {drag && <div className={s.drag} style={{ left: drag.x, width: drag.w }} />}
    </div>
  );
}

/** Drag sets the time range, a click picks the interval (and the series under it). */
function pointer(chart: echarts.ECharts, el: HTMLElement, now: () => TimeChartProps, setDrag: (d: { x: number; w: number } | null) => void): () => void {
  let start: number | undefined;
  let hit: string | undefined;
  const clampX = (e: MouseEvent) => Math.max(0, Math.min(el.clientWidth, e.clientX - el.getBoundingClientRect().left));
  const timeAt = (x: number) => {
    const { times } = now().chart;
    const i = chart.convertFromPixel({ xAxisIndex: 0 }, x);
    return times[Math.max(0, Math.min(times.length - 1, Math.round(Number(i))))];
  };
  const down = (e: MouseEvent) => {
    if (e.button === 0) start = clampX(e);
  };
  const move = (e: MouseEvent) => {
    if (start === undefined) return;
    const x = clampX(e);
    setDrag(Math.abs(x - start) > dragMin ? { x: Math.min(x, start), w: Math.abs(x - start) } : null);
  };
  const up = (e: MouseEvent) => {
    if (start === undefined) return;
    const [a, b] = [start, clampX(e)];
    const { step, onRange, onPick } = now();
    start = undefined;
    setDrag(null);
    const [t0, t1] = [timeAt(Math.min(a, b)), timeAt(Math.max(a, b))];
    if (t0 === undefined || t1 === undefined) return;
    if (Math.abs(b - a) > dragMin) onRange(t0, t1 + step);
    else onPick(t0, t0 + step, hit);
  };
  chart.on('mouseover', (x) => {
    hit = x.seriesName;
  });
  chart.on('mouseout', () => {
    hit = undefined;
  });
  el.addEventListener('mousedown', down);
  window.addEventListener('mousemove', move);
  window.addEventListener('mouseup', up);
  return () => {
    el.removeEventListener('mousedown', down);
    window.removeEventListener('mousemove', move);
    window.removeEventListener('mouseup', up);
  };
}
