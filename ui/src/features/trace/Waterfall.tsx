import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import { duration, money } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { size } from '@/shared/theme/tokens';
import { KindIcon, kindColor } from '@/shared/ui/Kind';
import s from './Trace.module.css';
import type { Row, Tree } from './tree';

export function Waterfall({ tree, selected, onSelect, closed, onToggle }: { tree: Tree; selected?: string; onSelect: (id: string) => void; closed: ReadonlySet<string>; onToggle: (id: string) => void }) {
  const t = useT();
  const lang = useLang();
  const box = useRef<HTMLDivElement>(null);
  const v = useVirtualizer({ count: tree.rows.length, getScrollElement: () => box.current, estimateSize: () => size.waterfall, overscan: 10 });
  const at = tree.rows.findIndex((r) => r.span.id === selected);
  useEffect(() => {
    if (at >= 0) v.scrollToIndex(at, { align: 'auto' });
  }, [at, v]);
  return (
    <>
      <div className={s.scale} aria-hidden>
        <span>0</span>
        <span>{duration(tree.total / 2)}</span>
        <span>{duration(tree.total)}</span>
      </div>
      <div className={s.list} ref={box} tabIndex={0} role="tree" aria-label={t('trace.tree')} aria-activedescendant={selected ? `span-${selected}` : undefined}>
        <div style={{ height: v.getTotalSize(), position: 'relative' }} role="presentation">
          {v.getVirtualItems().map((i) => {
            const r = tree.rows[i.index]!;
            return <Line key={r.span.id} r={r} total={tree.total} top={i.start} selected={r.span.id === selected} open={!closed.has(r.span.id)} onSelect={onSelect} onToggle={onToggle} title={`${r.span.name} · ${duration(r.took)} · ${money(r.span.cost_usd, lang)}`} />;
          })}
        </div>
      </div>
    </>
  );
}

function Line({ r, total, top, selected, open, onSelect, onToggle, title }: { r: Row; total: number; top: number; selected: boolean; open: boolean; title: string; onSelect: (id: string) => void; onToggle: (id: string) => void }) {
  const t = useT();
  const left = (r.start / total) * 100;
  const width = Math.max(0.3, (r.took / total) * 100);
  const wait = r.span.first_token_ms && r.took > 0 ? (r.span.first_token_ms / r.took) * width : 0;
  return (
    <div
      id={`span-${r.span.id}`} role="treeitem" aria-level={r.depth + 1} aria-selected={selected} aria-expanded={r.children > 0 ? open : undefined} className={s.row} data-bad={r.span.status === 'error' || undefined} title={title}
      style={{ transform: `translateY(${top}px)`, '--depth': r.depth, '--kind': r.span.status === 'error' ? 'var(--w-err)' : kindColor(r.span.kind) } as React.CSSProperties}
      onClick={() => onSelect(r.span.id)}
    >
      <span className={s.name}>
        {r.children > 0 ? (
          <button type="button" tabIndex={-1} className={s.twist} aria-label={t(open ? 'fold' : 'expand')} onClick={(e) => (e.stopPropagation(), onToggle(r.span.id))}>
            {open ? '▾' : '▸'}
          </button>
        ) : (
          <span className={s.twist} />
        )}
        <KindIcon kind={r.span.kind} />
        <span className="ellipsis">{r.span.name || r.span.model}</span>
      </span>
      <span className={s.lane}>
        <span className={s.span} style={{ left: `${left}%`, width: `${width}%` }} />
        {wait > 0 && <span className={s.first} style={{ left: `${left}%`, width: `${wait}%` }} />}
        <span className={s.took}>{duration(r.took)}</span>
      </span>
    </div>
  );
}
