import s from './Plain.module.css';

/** Counts over time as thin bars. */
export function Spark({ values, label, width = 112, height = 20 }: { values: number[]; label: string; width?: number | string; height?: number }) {
  const top = Math.max(1, ...values);
  const step = 100 / Math.max(1, values.length);
  return (
    <svg className={s.spark} width={width} height={height} viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" role="img" aria-label={`${label}: ${values.join(', ')}`}>
      <line x1={0} x2={100} y1={height - 0.5} y2={height - 0.5} className={s.base} />
      {values.map((v, i) => {
        const h = v === 0 ? 0 : Math.max(1.5, (v / top) * (height - 2));
        return <rect key={i} x={i * step + step * 0.12} width={step * 0.76} y={height - h} height={h} />;
      })}
    </svg>
  );
}
