import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef } from 'react';
import { Link } from '@tanstack/react-router';
import type { SQLAnswer } from '@/shared/api/observe';
import { useT } from '@/shared/i18n';
import { cellText } from './csv';
import s from './SQL.module.css';

const rowHeight = 28;
const numeric = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|REAL|DECIMAL.*)$/i;

/** Rows of an answer, drawn as they come into view; trace ids lead to their traces. */
export function Result({ answer: a }: { answer: SQLAnswer }) {
  const t = useT();
  const box = useRef<HTMLDivElement>(null);
  const v = useVirtualizer({ count: a.rows.length, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 20 });
  const widths = useMemo(() => a.columns.map((c, i) => width(c.name, a.rows, i)), [a]);
  const total = widths.reduce((x, y) => x + y, 0);
  return (
    <div className={s.result} ref={box} tabIndex={0} role="table" aria-label={t('sql.result')} aria-rowcount={a.rows.length + 1}>
      <div className={s.head} role="row" style={{ minWidth: total }}>
        {a.columns.map((c, i) => (
          <div key={i} role="columnheader" className={numeric.test(c.type) ? s.right : undefined} style={{ width: widths[i] }} title={c.type}>{c.name}</div>
        ))}
      </div>
      <div role="rowgroup" style={{ height: v.getTotalSize(), position: 'relative', minWidth: total }}>
        {v.getVirtualItems().map((x) => (
          <div key={x.key} role="row" aria-rowindex={x.index + 2} className={s.row} style={{ transform: `translateY(${x.start}px)`, height: rowHeight }}>
            {a.rows[x.index]!.map((cell, i) => {
              const value = cellText(cell);
              const type = a.columns[i]!.type;
              return (
                <div key={i} role="cell" className={numeric.test(type) ? s.right : undefined} style={{ width: widths[i] }} title={value.length > 24 ? value.slice(0, 2000) : undefined}>
                  {cell === null ? <span className="dim">NULL</span> : /^trace(_id)?$/.test(a.columns[i]!.name) ? <Link to="/traces/$trace" params={{ trace: value }}>{value}</Link> : shown(cell, value, type)}
                </div>
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}

const shown = (cell: unknown, text: string, type: string) => (typeof cell === 'number' && /DOUBLE|FLOAT|REAL/.test(type) ? String(Number(cell.toPrecision(8))) : text);

/** Wide enough for the first rows, within bounds. */
function width(name: string, rows: unknown[][], i: number): number {
  const longest = rows.slice(0, 60).reduce((n, r) => Math.max(n, cellText(typeof r[i] === 'number' ? Number(r[i].toPrecision(8)) : r[i]).length), name.length);
  return Math.min(360, Math.max(72, longest * 7.6 + 22));
}
