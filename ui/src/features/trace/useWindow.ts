import { useCallback, useEffect, useState, type RefObject } from 'react';

const step = 8; // rows: the window moves by these, so that most scroll events draw nothing
const spare = 24;

/** Which rows of equal height are to be drawn. */
export function useWindow(box: RefObject<HTMLElement | null>, count: number, height: number) {
  const [range, setRange] = useState<readonly [number, number]>([0, 64]);
  const measure = useCallback(() => {
    const el = box.current;
    if (!el) return;
    const from = Math.max(0, Math.floor(el.scrollTop / height / step) * step - spare);
    const to = Math.ceil((el.scrollTop + el.clientHeight) / height / step) * step + spare;
    setRange((old) => (old[0] === from && old[1] === to ? old : [from, to]));
  }, [box, height]);
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    el.addEventListener('scroll', measure, { passive: true });
    const watch = new ResizeObserver(measure);
    watch.observe(el);
    measure();
    return () => {
      el.removeEventListener('scroll', measure);
      watch.disconnect();
    };
  }, [box, measure, count]);
  const show = useCallback(
    (row: number) => {
      const el = box.current;
      if (!el || row < 0) return;
      const top = row * height;
      if (top < el.scrollTop || top + height > el.scrollTop + el.clientHeight) el.scrollTop = top - el.clientHeight / 2 + height;
      measure();
    },
    [box, height, measure],
  );
  return { from: Math.min(range[0], Math.max(0, count - 1)), to: Math.min(range[1], count), show };
}
