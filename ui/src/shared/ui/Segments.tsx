import s from './Segments.module.css';

/** A few choices beside each other, one of them pressed. */
export function Segments<V extends string>({ label, value, onChange, items }: { label: string; value: V; onChange: (v: V) => void; items: { id: V; label: string }[] }) {
  return (
    <div className={s.group} role="group" aria-label={label}>
      {items.map((x) => (
        <button key={x.id} type="button" aria-pressed={x.id === value} onClick={() => onChange(x.id)}>
          {x.label}
        </button>
      ))}
    </div>
  );
}
