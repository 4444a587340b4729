import { nearlySpent } from './budget';
import s from './BudgetBar.module.css';

export function BudgetBar({ share, label }: { share: number; label: string }) {
  const color = share < nearlySpent ? 'var(--w-accent)' : share < 1 ? 'var(--w-warn)' : 'var(--w-err)';
  return (
    <div className={s.bar} role="progressbar" aria-label={label} aria-valuenow={Math.round(share * 100)} aria-valuemin={0} aria-valuemax={100}>
      <span style={{ width: `${share * 100}%`, background: color }} />
    </div>
  );
}
