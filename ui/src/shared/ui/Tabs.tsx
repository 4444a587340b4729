import { useRef, type ReactNode } from 'react';
import s from './Tabs.module.css';

/** A row of tabs: arrows move between them. */
export function Tabs<V extends string>({ label, value, onChange, items }: { label: string; value: V; onChange: (v: V) => void; items: { id: V; label: ReactNode }[] }) {
  const box = useRef<HTMLDivElement>(null);
  const onKey = (e: React.KeyboardEvent) => {
    const d = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (d === 0) return;
    const next = items[(items.findIndex((x) => x.id === value) + d + items.length) % items.length]!;
    onChange(next.id);
    box.current?.querySelector<HTMLElement>(`[data-id="${next.id}"]`)?.focus();
  };
  return (
    <div className={s.tabs} role="tablist" aria-label={label} ref={box} onKeyDown={onKey}>
      {items.map((x) => (
        <button key={x.id} type="button" role="tab" data-id={x.id} className={s.tab} aria-selected={x.id === value} tabIndex={x.id === value ? 0 : -1} onClick={() => onChange(x.id)}>
          {x.label}
        </button>
      ))}
    </div>
  );
}
