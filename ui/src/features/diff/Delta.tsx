import { compact, duration, moneyTiny, percent } from '@/shared/format/format';
import { growth } from './items';
import type { Delta } from './types';

const sign = (n: number, text: (n: number) => string) => `${n > 0 ? '+' : '−'}${text(Math.abs(n))}`;

/** A figure that grew is bad for time, cost and tokens, and one that shrank is good. */
export function Grown({ n, text, before, small = 0 }: { n: number; text: (n: number) => string; before?: number; small?: number }) {
  if (Math.abs(n) <= small) return <span className="dim num">±0</span>;
  const share = growth(before, n);
  return (
    <span className={`num ${n > 0 ? 'err' : 'ok'}`}>
      {sign(n, text)}
      {share !== undefined && Math.abs(share) >= 0.005 && Math.abs(share) < 100 && <span> ({sign(share, (x) => percent(x))})</span>}
    </span>
  );
}

/** Of one step: only what changed enough to matter. */
export function DeltaFigures({ d, a }: { d: Delta; a: number }) {
  const slower = Math.abs(d.duration_ms) > Math.max(20, a * 0.1);
  return (
    <>
      {d.tokens !== 0 && <Grown n={d.tokens} text={compact} />}
      {Math.abs(d.cost_usd) > 1e-9 && <Grown n={d.cost_usd} text={moneyTiny} />}
      {slower && <Grown n={d.duration_ms} text={duration} />}
    </>
  );
}
