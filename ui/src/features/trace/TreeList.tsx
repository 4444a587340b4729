import { useCallback, useEffect, useRef } from 'react';
import { duration, durationShort } from '@/shared/format/format';
import { useT } from '@/shared/i18n';
import { Minimap, type Zoom } from './Minimap';
import { around } from './rows';
import s from './Tree.module.css';
import { rowHeight, TreeRow } from './TreeRow';
import type { TreeState } from './useTree';
import { useWindow } from './useWindow';

const long = 24; // rows from which a map of the whole helps

interface Props {
  tree: TreeState;
  lanes: boolean;
  selected: number;
  hits: ReadonlySet<number>;
  zoom: Zoom | undefined;
  onZoom: (z: Zoom | undefined) => void;
  onSelect: (span: number) => void;
}

/** The rows of a trace: as a tree with figures, or as a waterfall on the axis of time. Only those near the window exist. */
export function TreeList({ tree, lanes, selected, hits, zoom, onZoom, onSelect }: Props) {
  const t = useT();
  const { p, r } = tree;
  const box = useRef<HTMLDivElement>(null);
  const win = useWindow(box, r.list.length, rowHeight);
  const at = r.at.get(selected) ?? -1;
  const { show } = win;
  useEffect(() => show(at), [at, show]);
  const select = useLatest(onSelect);
  const toggle = useLatest(tree.toggle);
  const zoomTo = useLatest((row: number) => onZoom(around(p, row)));
  const from = zoom?.from ?? 0;
  const to = zoom?.to ?? p.f.total;
  const lines = [];
  for (let i = win.from; i < win.to; i++) {
    const row = r.list[i]!;
    lines.push(
      <TreeRow key={row} p={p} row={row} at={i} depth={r.depth[i]!} selected={row === selected} open={tree.open(row)} hit={hits.has(row)} lanes={lanes} from={from} to={to} onSelect={select} onToggle={toggle} onZoom={zoomTo} />,
    );
  }
  return (
    <div className={s.box} style={{ '--name': 'clamp(130px, 44cqi, 420px)' } as React.CSSProperties}>
      {lanes && r.list.length > long && <Minimap tree={tree} box={box} zoom={zoom} onZoom={onZoom} onRow={(i) => show(i)} />}
      <div className={s.head} aria-hidden>
        {lanes ? (
          <>
            <span style={{ width: 'calc(var(--name) - 8px)' }}>{t('trace.steps.n', { n: p.f.c.n, count: p.f.c.n.toLocaleString('en') })}</span>
            <span className={s.scale}>
              {[0, 0.25, 0.5, 0.75].map((x) => (
                <span key={x}>{scaleAt(from, to, x)}</span>
              ))}
            </span>
            <span className={s.scaleEnd} style={{ textAlign: 'right' }}>{duration(to)}</span>
          </>
        ) : (
          <>
            <span className={s.headName}>{t('trace.steps.n', { n: p.f.c.n, count: p.f.c.n.toLocaleString('en') })}</span>
            <span className={s.figures}>
              <span className={s.tokens}>{t('m.tokens')}</span>
              <span className={s.cost}>{t('m.cost')}</span>
              <span className={s.time}>{t('c.duration')}</span>
            </span>
          </>
        )}
      </div>
      <div className={`${s.list} ${lanes ? s.lanes : ''}`} ref={box} tabIndex={0} role="tree" aria-label={t('trace.tree')} aria-activedescendant={at >= win.from && at < win.to ? `row-${selected}` : undefined}>
        <div style={{ height: r.list.length * rowHeight, position: 'relative' }} role="presentation">
          {lines}
        </div>
      </div>
      {lanes && (
        <p className={s.key}>
          <span className={s.keyMark} /> {t('trace.key.first')} <span className={s.keyLine} /> {t('trace.key.critical')}
        </p>
      )}
    </div>
  );
}

function scaleAt(from: number, to: number, share: number): string {
  const ms = from + (to - from) * share;
  return ms === 0 ? '0' : durationShort(ms);
}

/** A handler that never changes, so that rows which did not change are not drawn again. */
function useLatest(f: (row: number) => void): (row: number) => void {
  const now = useRef(f);
  useEffect(() => {
    now.current = f;
  });
  return useCallback((row: number) => now.current(row), []);
}
