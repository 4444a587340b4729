import { useMemo, useState } from 'react';
import { pref } from '@/shared/theme/prefs';
import { sorts, type Forest, type Sort } from './forest';
import { carry, foldAll, isOpen, plan, reveal, rows, type Toggled } from './rows';

export const sortPref = pref<Sort>('trace.sort', 'start', (v) => sorts.find((s) => s === v) ?? 'start');
export const loopsPref = pref<boolean>('trace.loops', true, (v) => v !== false);

const nothing: Toggled = new Set();

/** The rows of a trace as the reader sorted and folded them. The selected span is always among them. */
export function useTree(f: Forest, selected: number) {
  const sort = sortPref.use();
  const loops = loopsPref.use();
  const p = useMemo(() => plan(f, sort, loops), [f, sort, loops]);
  const [state, setState] = useState<{ p: typeof p; toggled: Toggled; shown: number }>({ p, toggled: nothing, shown: -1 });
  let now = state;
  if (now.p !== p) now = { p, toggled: carry(now.p, p, now.toggled), shown: selected };
  if (now.shown !== selected) now = { ...now, toggled: selected < 0 ? now.toggled : reveal(p, selected, now.toggled), shown: selected };
  if (now !== state) setState(now);
  const { toggled } = now;
  const r = useMemo(() => rows(p, toggled), [p, toggled]);
  const set = (t: Toggled) => setState({ p, toggled: t, shown: selected });
  const toggle = (row: number) => {
    const next = new Set(toggled);
    if (!next.delete(row)) next.add(row);
    set(next);
  };
  return { p, r, toggled, toggle, open: (row: number) => isOpen(p, row, toggled), foldAll: () => set(foldAll(p)), unfoldAll: () => set(new Set(p.loops.map((_, g) => f.c.n + g))), sort, loops };
}

export type TreeState = ReturnType<typeof useTree>;
