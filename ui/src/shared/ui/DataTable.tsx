import { type ColumnDef, type ColumnSizingState, createRow, flexRender, getCoreRowModel, type Row, type Table, useReactTable, type VisibilityState } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { useHotkeys } from '../keys/hotkeys';
import { useT } from '../i18n';
import { size } from '../theme/tokens';
import { pref } from '../theme/prefs';
import { moved } from './order';
import s from './DataTable.module.css';

declare module '@tanstack/react-table' {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  interface ColumnMeta<TData, TValue> {
    right?: boolean;
    grow?: boolean;
    sort?: string; // name of the server's sort field
  }
}

export interface DataTableProps<R> {
  name: string;
  label: string;
  columns: ColumnDef<R>[];
  rows: R[];
  id: (r: R) => string;
  cursor?: string;
  onCursor: (id: string | undefined, open: boolean) => void;
  onOpen: (r: R) => void;
  bad?: (r: R) => 'bad' | 'warn' | undefined;
  more?: () => void;
  sort?: string;
  onSort?: (s: string) => void;
  visibility?: VisibilityState;
  foot?: ReactNode;
  order?: string[]; // of columns, by id; those not named follow
  onOrder?: (ids: string[]) => void;
  selected?: ReadonlySet<string>;
  onSelect?: (ids: ReadonlySet<string>) => void;
}

const sizings = new Map<string, ReturnType<typeof pref<ColumnSizingState>>>();
function sizingPref(name: string) {
  const p = sizings.get(name) ?? pref<ColumnSizingState>(`columns.${name}`, {});
  sizings.set(name, p);
  return p;
}

const none: ReadonlySet<string> = new Set();
const nothing: never[] = [];
const checkWidth = 30;
const ahead = 50; // rows before the end at which more are asked for

const kept = 200;

/**
 * Rows of the table with their cells are made when they are first seen, and the latest few kept: made for a hundred
 * thousand at once they would stop the page at each addition, and kept for all they would fill its memory.
 */
class Seen<R extends object> {
  private now = new Map<R, Row<R>>();
  private before = this.now;

  row(table: Table<R>, id: (r: R) => string, r: R, index: number): Row<R> {
    const made = this.now.get(r) ?? this.before.get(r) ?? createRow(table, id(r), r, index, 0);
    if (!this.now.has(r) && this.now.size >= kept) [this.before, this.now] = [this.now, new Map()];
    this.now.set(r, made);
    return made;
  }
}

const stop = (e: React.DragEvent) => (e.preventDefault(), e.stopPropagation());

/** A virtual list of 32 px rows under a sticky head. j/k move, Enter opens the side panel, Shift+Enter the page, x marks. */
export function DataTable<R extends object>(p: DataTableProps<R>) {
  const t = useT();
  const box = useRef<HTMLDivElement>(null);
  const sizing = sizingPref(p.name);
  const columnSizing = sizing.use();
  const table = useReactTable<R>({
    data: nothing,
    columns: p.columns,
    getCoreRowModel: getCoreRowModel(),
    columnResizeMode: 'onChange',
    state: { columnSizing, columnVisibility: p.visibility ?? {}, columnOrder: p.order ?? [] },
    onColumnSizingChange: (u) => sizing.set(typeof u === 'function' ? u(sizing.get()) : u),
  });
  const rows = p.rows;
  const [seen] = useState(() => new Seen<R>());
  const v = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => size.row, overscan: 12 });
  const items = v.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const { more } = p;
  useEffect(() => {
    if (more && last >= rows.length - ahead) more();
  }, [more, last, rows.length]);

  const { cursor, id } = p;
  const at = useMemo(() => (cursor === undefined ? -1 : rows.findIndex((r) => id(r) === cursor)), [rows, cursor, id]);
  const move = (d: number) => {
    const i = at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + d));
    const r = rows[i];
    if (!r) return;
    p.onCursor(id(r), false);
    v.scrollToIndex(i, { align: 'auto' });
  };
  const open = (panel: boolean) => {
    const r = rows[at];
    if (!r) return false;
    if (panel) p.onCursor(id(r), true);
    else p.onOpen(r);
  };
  const elsewhere = (e: KeyboardEvent) => e.target instanceof HTMLElement && e.target.closest('a,button') !== null;
  useHotkeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: (e) => (box.current?.contains(e.target as Node) ? move(1) : false),
    ArrowUp: (e) => (box.current?.contains(e.target as Node) ? move(-1) : false),
    Enter: (e) => (elsewhere(e) ? false : open(true)),
    'shift+Enter': (e) => (elsewhere(e) ? false : open(false)),
    x: () => (p.onSelect && at >= 0 ? pick(at, false) : false),
  });

  const anchor = useRef(-1);
  const picked = p.selected ?? none;
  const pick = (i: number, through: boolean) => {
    const next = new Set(picked);
    const on = !next.has(id(rows[i]!));
    const [a, b] = through && anchor.current >= 0 ? [Math.min(anchor.current, i), Math.max(anchor.current, i)] : [i, i];
    for (const r of rows.slice(a, b + 1)) if (on) next.add(id(r)); else next.delete(id(r));
    anchor.current = i;
    p.onSelect?.(next);
  };
  const all = useMemo(() => rows.length > 0 && picked.size >= rows.length && rows.every((r) => picked.has(id(r))), [rows, picked, id]);
  const dragged = useRef<string | undefined>(undefined);
  const drop = (onto: string) => {
    const from = dragged.current;
    dragged.current = undefined;
    if (!from || from === onto) return;
    p.onOrder?.(moved(table.getVisibleLeafColumns().map((c) => c.id), from, onto, table.getAllLeafColumns().map((c) => c.id)));
  };

  const width = table.getTotalSize() + (p.onSelect ? checkWidth : 0);
  const widthOf = (c: { getSize: () => number; columnDef: ColumnDef<R> }) =>
    c.columnDef.meta?.grow ? { flex: `1 0 ${c.getSize()}px`, minWidth: 0 } : { width: c.getSize() };
  return (
    <div className={s.wrap} ref={box} tabIndex={0} role="grid" aria-label={p.label} aria-rowcount={rows.length + 1}>
      <div className={s.table} style={{ width }}>
        <div className={s.head} role="row" style={{ minWidth: width }}>
          {p.onSelect && (
            <div role="columnheader" className={s.check}>
              <input type="checkbox" aria-label={t('select.all')} checked={all} ref={(el) => void (el && (el.indeterminate = !all && picked.size > 0))} onChange={() => p.onSelect?.(new Set(all ? [] : rows.map(id)))} />
            </div>
          )}
          {table.getHeaderGroups()[0]?.headers.map((h) => {
            const by = h.column.columnDef.meta?.sort;
            const dir = by && (p.sort === by ? 'ascending' : p.sort === `-${by}` ? 'descending' : undefined);
            return (
              <div key={h.id} role="columnheader" aria-sort={dir || undefined} className={`${s.th} ${h.column.columnDef.meta?.right ? s.right : ''}`} style={widthOf(h.column)}
                draggable={p.onOrder !== undefined} onDragStart={() => (dragged.current = h.column.id)} onDragOver={(e) => dragged.current && e.preventDefault()} onDrop={() => drop(h.column.id)}
              >
                {by && p.onSort ? (
                  <button type="button" className={s.sort} onClick={() => p.onSort?.(p.sort === `-${by}` ? by : `-${by}`)}>
                    {flexRender(h.column.columnDef.header, h.getContext())}
                    {dir === 'descending' ? ' ↓' : dir === 'ascending' ? ' ↑' : ''}
                  </button>
                ) : (
                  flexRender(h.column.columnDef.header, h.getContext())
                )}
                <div className={s.grip} aria-hidden draggable onDragStart={stop} onMouseDown={h.getResizeHandler()} onTouchStart={h.getResizeHandler()} onDoubleClick={() => h.column.resetSize()} />
              </div>
            );
          })}
        </div>
        <div style={{ height: v.getTotalSize(), position: 'relative' }} role="rowgroup">
          {items.map((i) => {
            const r = seen.row(table, id, rows[i.index]!, i.index);
            const mark = p.bad?.(r.original);
            return (
              <div
                key={r.id} role="row" aria-rowindex={i.index + 2} aria-selected={r.id === p.cursor} className={s.row}
                data-cursor={r.id === p.cursor || undefined} data-picked={picked.has(r.id) || undefined} data-bad={mark === 'bad' || undefined} data-warn={mark === 'warn' || undefined}
                style={{ height: size.row, transform: `translateY(${i.start}px)`, minWidth: width }}
                onClick={(e) => (e.shiftKey || e.metaKey || e.ctrlKey ? p.onOpen(r.original) : p.onCursor(r.id, true))}
                onDoubleClick={() => p.onOpen(r.original)}
              >
                {p.onSelect && (
                  <div role="gridcell" className={s.check} onClick={(e) => e.stopPropagation()} onDoubleClick={(e) => e.stopPropagation()}>
                    <input type="checkbox" tabIndex={-1} aria-label={t('select.row')} checked={picked.has(r.id)} onChange={(e) => pick(i.index, (e.nativeEvent as MouseEvent).shiftKey)} />
                  </div>
                )}
                {r.getVisibleCells().map((c) => (
                  <div key={c.id} role="gridcell" className={`${s.td} ${c.column.columnDef.meta?.right ? s.right : ''}`} style={widthOf(c.column)}>
                    {flexRender(c.column.columnDef.cell, c.getContext())}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
        <div className={s.foot}>{p.foot ?? (rows.length === 0 ? t('none') : null)}</div>
      </div>
    </div>
  );
}
