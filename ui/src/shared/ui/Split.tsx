import { useRef, type ReactNode } from 'react';
import { useT } from '../i18n';
import { pref, type Pref } from '../theme/prefs';
import s from './Split.module.css';

const least = 18; // percent of the width that each side keeps

export function splitPref(name: string, initial: number): Pref<number> {
  return pref<number>(`split.${name}`, initial, (v) => (typeof v === 'number' && v >= least && v <= 100 - least ? v : initial));
}

/** Two panes with a bar between them that can be dragged, or moved with ← and →. One below the other when narrow. */
export function Split({ width, left, right }: { width: Pref<number>; left: ReactNode; right: ReactNode }) {
  const t = useT();
  const box = useRef<HTMLDivElement>(null);
  const now = width.use();
  const set = (v: number) => width.set(Math.min(100 - least, Math.max(least, v)));
  const drag = (e: React.PointerEvent) => {
    const b = box.current?.getBoundingClientRect();
    if (b && e.currentTarget.hasPointerCapture(e.pointerId)) set(((e.clientX - b.left) / b.width) * 100);
  };
  const onKey = (e: React.KeyboardEvent) => {
    const d = e.key === 'ArrowLeft' ? -2 : e.key === 'ArrowRight' ? 2 : 0;
    if (d === 0) return;
    e.preventDefault();
    e.stopPropagation();
    set(now + d);
  };
  return (
    <div className={s.split} ref={box} style={{ '--left': `${now}%` } as React.CSSProperties}>
      <div className={s.left}>{left}</div>
      <div
        className={s.bar} role="separator" aria-orientation="vertical" aria-label={t('split')} tabIndex={0} aria-valuenow={Math.round(now)} aria-valuemin={least} aria-valuemax={100 - least}
        onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)} onPointerMove={drag} onKeyDown={onKey}
      />
      <div className={s.right}>{right}</div>
    </div>
  );
}
