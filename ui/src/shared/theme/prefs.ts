import { useSyncExternalStore } from 'react';

/** A preference kept in localStorage and shared by all components that read it. */
export interface Pref<T> {
  get(): T;
  set(v: T): void;
  use(): T;
}

export function pref<T>(name: string, initial: T, parse: (raw: unknown) => T = (raw) => raw as T): Pref<T> {
  const key = `weir.${name}`;
  const listeners = new Set<() => void>();
  let value = read();
  function read(): T {
    try {
      const raw = localStorage.getItem(key);
      return raw === null ? initial : parse(JSON.parse(raw));
    } catch {
      return initial;
    }
  }
  const subscribe = (f: () => void) => {
    listeners.add(f);
    return () => listeners.delete(f);
  };
  const get = () => value;
  return {
    get,
    set(v) {
      value = v;
      try {
        localStorage.setItem(key, JSON.stringify(v));
      } catch {
        // storage may be full or forbidden; the preference then lasts as long as the page
      }
      listeners.forEach((f) => f());
    },
    use: () => useSyncExternalStore(subscribe, get),
  };
}
