import { IconAlertTriangle, IconRepeat } from '@tabler/icons-react';
import { memo } from 'react';
import { compact, duration, moneyTiny } from '@/shared/format/format';
import { useT } from '@/shared/i18n';
import { KindIcon, kindColor } from '@/shared/ui/Kind';
import { failed } from './columns';
import type { Plan, Sums } from './rows';
import { sums } from './rows';
import s from './Tree.module.css';

export interface RowProps {
  p: Plan;
  row: number;
  at: number; // its place from the top
  depth: number;
  selected: boolean;
  open: boolean;
  hit: boolean;
  lanes: boolean;
  from: number; // ms, the ends of the time shown
  to: number;
  onSelect: (row: number) => void;
  onToggle: (row: number) => void;
  onZoom: (row: number) => void;
}

export const rowHeight = 28;
const deepest = 24; // indents; deeper rows stay readable

/** One step, or one loop of steps. It reads the columns itself, so that a page of 50k spans holds no state a row. */
export const TreeRow = memo(function TreeRow({ p, row, at, depth, selected, open, hit, lanes, from, to, onSelect, onToggle, onZoom }: RowProps) {
  const t = useT();
  const { c } = p.f;
  const loop = row >= c.n ? p.loops[row - c.n] : undefined;
  const x = sums(p, row);
  const own = !loop && failed(c, row);
  const below = p.below.has(row);
  const hidden = below && !open ? x.errors - (own ? 1 : 0) : 0;
  const model = loop ? '' : c.models[row]!;
  const label = `${x.name} · ${duration(x.took)}${x.cost > 0 ? ` · ${moneyTiny(x.cost)}` : ''}`;
  return (
    <div
      id={`row-${row}`} role="treeitem" aria-level={depth + 1} aria-selected={selected} aria-expanded={below ? open : undefined} title={label}
      className={s.row} data-bad={own || undefined} data-loop={loop ? true : undefined} data-hit={hit || undefined}
      style={{ transform: `translateY(${at * rowHeight}px)`, '--depth': Math.min(depth, deepest), '--kind': own ? 'var(--w-err)' : kindColor(x.kind) } as React.CSSProperties}
      onClick={() => (loop ? onToggle(row) : onSelect(row))} onDoubleClick={() => lanes && onZoom(row)}
    >
      <span className={s.name}>
        {below ? (
          <button type="button" tabIndex={-1} className={s.twist} aria-label={t(open ? 'fold' : 'expand')} onClick={(e) => (e.stopPropagation(), onToggle(row))}>
            {open ? '▾' : '▸'}
          </button>
        ) : (
          <span className={s.twist} />
        )}
        {loop ? <IconRepeat size={14} className={s.loopIcon} aria-label={t('trace.loop')} /> : <KindIcon kind={x.kind} />}
        <span className={s.text}>{x.name || x.kind}</span>
        {loop && <span className={s.times}>×{loop.turns}</span>}
        {model && model !== x.name && <span className={s.model}>{model}</span>}
        {below && !open && !loop && <span className={s.count}>{compact(x.steps - 1)}</span>}
        {(own || hidden > 0) && <span className={s.bad}><IconAlertTriangle size={12} />{hidden > 0 ? hidden : ''}</span>}
      </span>
      {lanes ? <Lane p={p} row={row} x={x} loop={!!loop} from={from} to={to} /> : <Figures x={x} total={p.f.total} />}
    </div>
  );
});

function Figures({ x, total }: { x: Sums; total: number }) {
  return (
    <span className={s.figures}>
      <span className={s.tokens}>{x.tokens > 0 ? compact(x.tokens) : ''}</span>
      <span className={s.cost}>{x.cost > 0 ? moneyTiny(x.cost) : ''}</span>
      <span className={s.time}>
        {duration(x.took)}
        {x.took / total > 0.02 && <span className={s.share} style={{ width: `${Math.min(100, (x.took / total) * 100)}%` }} />}
      </span>
    </span>
  );
}

function Lane({ p, row, x, loop, from, to }: { p: Plan; row: number; x: Sums; loop: boolean; from: number; to: number }) {
  const all = Math.max(to - from, 1e-6);
  const left = ((x.start - from) / all) * 100;
  const width = Math.max(0.25, (x.took / all) * 100);
  const first = loop ? 0 : p.f.c.first[row]!;
  const wait = first > 0 && x.took > 0 ? Math.min(1, first / x.took) * width : 0;
  const critical = !loop && p.f.critical[row] === 1;
  return (
    <>
      <span className={s.lane}>
        <span className={s.bar} data-loop={loop || undefined} style={{ left: `${left}%`, width: `${width}%` }} />
        {wait > 0 && <span className={s.wait} style={{ left: `${left}%`, width: `${wait}%` }} />}
        {wait > 0 && <span className={s.mark} style={{ left: `${left + wait}%` }} />}
        {critical && <span className={s.critical} style={{ left: `${left}%`, width: `${width}%` }} />}
      </span>
      <span className={s.took}>{duration(x.took)}</span>
    </>
  );
}
