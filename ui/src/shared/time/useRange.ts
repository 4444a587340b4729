import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { meQuery } from '../api/queries';
import { ends, isFixed, iso, usual, type Range } from './range';

/** The length used where the URL names none. */
export function useUsual(): string {
  return usual(useQuery(meQuery).data?.demo ?? false);
}

/** The ends of a range as ISO strings; a relative range moves on every `every` ms. */
export function useEnds(range: Range, every = 30_000): { from: string; to: string } {
  const [now, setNow] = useState(() => Date.now());
  const moving = !isFixed(range);
  useEffect(() => {
    if (!moving || every === 0) return;
    const t = setInterval(() => !document.hidden && setNow(Date.now()), every);
    return () => clearInterval(t);
  }, [moving, every]);
  const { from, to } = ends(range, now, useUsual());
  return useMemo(() => ({ from: iso(from), to: iso(to) }), [from, to]);
}
