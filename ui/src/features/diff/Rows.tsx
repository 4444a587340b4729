import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useImperativeHandle, useMemo, useRef, useState, type Ref } from 'react';
import { useT } from '@/shared/i18n';
import { Changes } from './Changes';
import s from './Diff.module.css';
import { isChange, repeated, type Item } from './items';
import { StepRow } from './StepRow';
import type { TraceDiff } from './types';

export interface RowsHandle {
  show: (item: number) => void;
}

const guess = 40;
const few = 12; // changed steps that are opened from the start

/** The aligned steps. Only those near the window exist; what changed in a step stands below it. */
export function Rows({ d, list, at, onAt, onOpen, ref }: { d: TraceDiff; list: Item[]; at: number; onAt: (i: number) => void; onOpen: (from: number) => void; ref: Ref<RowsHandle> }) {
  const t = useT();
  const box = useRef<HTMLDivElement>(null);
  const again = useMemo(() => repeated(d.rows), [d]);
  const [folded, setFolded] = useState<ReadonlySet<number>>(() => startFolded(d));
  const v = useVirtualizer({ count: list.length, getScrollElement: () => box.current, estimateSize: () => guess, overscan: 6, getItemKey: (i) => keyOf(list[i]!) });
  useImperativeHandle(ref, () => ({ show: (i: number) => v.scrollToIndex(i, { align: 'start' }) }), [v]);
  useEffect(() => v.measure(), [list, v]);
  const toggle = (row: number) => {
    const next = new Set(folded);
    if (!next.delete(row)) next.add(row);
    setFolded(next);
  };
  return (
    <div className={s.rows} ref={box} tabIndex={0} role="list" aria-label={t('diff.title')}>
      <div style={{ height: v.getTotalSize(), position: 'relative' }} role="presentation">
        {v.getVirtualItems().map((i) => {
          const x = list[i.index]!;
          return (
            <div key={i.key} ref={v.measureElement} data-index={i.index} className={s.item} style={{ transform: `translateY(${i.start}px)` }} role="listitem" data-at={i.index === at || undefined}>
              {'row' in x ? (
                <>
                  <StepRow row={d.rows[x.row]!} open={!folded.has(x.row)} onToggle={() => (onAt(i.index), toggle(x.row))} a={d.a} b={d.b} />
                  {isChange(d.rows[x.row]!) && !folded.has(x.row) && <Changes row={d.rows[x.row]!} again={again} />}
                </>
              ) : (
                <button type="button" className={s.hidden} onClick={() => onOpen(x.from)}>
                  {t('diff.hidden', { n: x.to - x.from })}
                </button>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

const keyOf = (x: Item) => ('row' in x ? `r${x.row}` : `h${x.from}`);

/** With many changes only the first are opened, so that the list can be read as a list. */
function startFolded(d: TraceDiff): Set<number> {
  const changed = d.rows.flatMap((r, i) => (isChange(r) && (r.parts?.length ?? 0) > 0 ? [i] : []));
  return new Set(changed.length > few * 2 ? changed.slice(few) : []);
}
