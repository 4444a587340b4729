import { useEffect, useRef } from 'react';

/** Keys as KeyboardEvent.key, with "mod+" and "shift+" prefixes. A handler that returns false lets the event pass. */
export type Hotkeys = Record<string, (e: KeyboardEvent) => void | boolean>;

export function typing(t: EventTarget | null): boolean {
  return t instanceof HTMLElement && (t.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(t.tagName));
}

export function nameOf(e: KeyboardEvent): string {
  const mod = e.metaKey || e.ctrlKey ? 'mod+' : '';
  const shift = e.shiftKey && (e.key.length > 1 || mod) ? 'shift+' : '';
  return mod + shift + (e.key.length === 1 ? e.key.toLowerCase() : e.key);
}

const dialogOpen = () => document.querySelector('[role="dialog"][aria-modal="true"]') !== null;

/** `first` keys are asked before all others, for strokes that follow another. */
export function useHotkeys(keys: Hotkeys, enabled = true, first = false): void {
  const ref = useRef(keys);
  useEffect(() => {
    ref.current = keys;
  });
  useEffect(() => {
    if (!enabled) return;
    const on = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.altKey || dialogOpen()) return;
      const name = nameOf(e);
      if (typing(e.target) && !name.startsWith('mod+')) return;
      const f = ref.current[name];
      if (f && f(e) !== false) e.preventDefault();
    };
    window.addEventListener('keydown', on, first);
    return () => window.removeEventListener('keydown', on, first);
  }, [enabled, first]);
}
