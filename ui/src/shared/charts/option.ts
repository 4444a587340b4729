import type { EChartsCoreOption } from 'echarts/core';
import type { Chart, Line } from './series';

/** The one chart theme, from the tokens. */
export interface Look {
  series: string[];
  other: string;
  line: string;
  line2: string;
  text: string;
  bg: string;
  strong: string;
  accent: string;
}

export interface Style {
  kind: 'bar' | 'line';
  unit: (v: number) => string;
  lang: string;
  look: Look;
  other: string;
  none: string;
  dashed?: (name: string) => boolean;
  whole?: boolean; // counts: no half steps on the axis
  active: () => boolean; // the pointer is in this chart; others of its group show the crosshair alone
}

export function nameOf(l: Line, s: { other: string; none: string }): string {
  return l.other ? s.other : l.name || s.none;
}

export function option(c: Chart, s: Style): EChartsCoreOption {
  const { look } = s;
  const font = { color: look.text, fontSize: 11, fontFamily: "'Inter Variable', sans-serif" };
  const spanMs = c.times.length > 1 ? c.times.at(-1)! - c.times[0]! : 0;
  const day = spanMs > 26 * 3_600_000;
  const tick = new Intl.DateTimeFormat(s.lang, day ? { month: 'numeric', day: 'numeric', ...(spanMs < 8 * 86_400_000 ? { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } : {}) } : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return {
    animation: false,
    color: look.series,
    textStyle: font,
    grid: { left: 4, right: 8, top: 8, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    tooltip: {
      trigger: 'axis', confine: true, transitionDuration: 0, backgroundColor: look.bg, borderColor: look.line2, borderWidth: 1, padding: [6, 8], textStyle: { ...font, color: look.strong },
      axisPointer: { type: 'line', lineStyle: { color: look.accent, width: 1 } },
      formatter: (ps: unknown) => (s.active() ? tooltip(ps as Hover[], c, s) : ''),
    },
    xAxis: {
      type: 'category', data: c.times.map((t) => tick.format(t)), boundaryGap: s.kind === 'bar', axisTick: { show: false }, axisLine: { lineStyle: { color: look.line2 } }, axisLabel: { ...font, hideOverlap: true, alignMaxLabel: 'right', margin: 6 },
    },
    yAxis: { type: 'value', min: 0, minInterval: s.whole ? 1 : undefined, splitNumber: 3, axisLabel: { ...font, formatter: (v: number) => s.unit(v) }, splitLine: { lineStyle: { color: look.line } } },
    series: c.lines.map((l, i) => seriesOf(l, i, s)),
  };
}

function seriesOf(l: Line, i: number, s: Style): object {
  const color = l.other ? s.look.other : s.look.series[i % s.look.series.length];
  const base = { name: nameOf(l, s), data: l.values, itemStyle: { color }, emphasis: { disabled: true } };
  if (s.kind === 'bar') return { ...base, type: 'bar', stack: 'all', barCategoryGap: '18%', large: false };
  const symbol = (_: unknown, at: { dataIndex: number }) => (isLone(l.values, at.dataIndex) ? 'circle' : 'none');
  return { ...base, type: 'line', symbol, showAllSymbol: true, symbolSize: 4, lineStyle: { width: 1.5, color, type: s.dashed?.(l.name) ? [4, 3] : 'solid' }, connectNulls: false };
}

/** A value without neighbours: no line leads to it, so that it needs a dot to be seen. */
export function isLone(values: (number | null)[], i: number): boolean {
  return values[i] !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null;
}

interface Hover {
  dataIndex: number;
  seriesName: string;
  value: number | null;
  color: string;
}

const maxHover = 9;

/** Built from elements, not markup: names come from clients, and the page forbids inline styles in markup. */
function tooltip(ps: Hover[], c: Chart, s: Style): HTMLElement {
  const box = document.createElement('div');
  const head = document.createElement('div');
  const t = c.times[ps[0]?.dataIndex ?? 0] ?? 0;
  head.textContent = new Intl.DateTimeFormat(s.lang, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(t);
  head.style.color = s.look.text;
  box.append(head);
  const rows = ps.filter((p) => typeof p.value === 'number' && p.value !== 0).sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  for (const p of rows.slice(0, maxHover)) {
    const row = document.createElement('div');
    Object.assign(row.style, { display: 'flex', gap: '8px', alignItems: 'center', lineHeight: '18px' });
    const dot = document.createElement('span');
    Object.assign(dot.style, { width: '8px', height: '8px', borderRadius: '2px', background: p.color });
    const value = document.createElement('span');
    value.textContent = s.unit(p.value!);
    Object.assign(value.style, { marginLeft: 'auto', paddingLeft: '12px', fontVariantNumeric: 'tabular-nums' });
    row.append(dot, p.seriesName, value);
    box.append(row);
  }
  return box;
}
