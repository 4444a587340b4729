import type { ScoreMean } from '../api/observe';
import { Tag } from './Bits';

/** The mean of a score, or how often a score that is no number was given. */
export function meanText(m: ScoreMean | undefined): string {
  if (!m) return '';
  return m.avg == null ? `×${m.count}` : String(Math.round(m.avg * 1000) / 1000);
}

export function Means({ scores, max = 3 }: { scores: ScoreMean[]; max?: number }) {
  return (
    <>
      {scores.slice(0, max).map((m) => (
        <span key={m.name} style={{ marginRight: 4 }}>
          <Tag title={`${m.name} ×${m.count}`}>{m.name} {meanText(m)}</Tag>
        </span>
      ))}
    </>
  );
}
