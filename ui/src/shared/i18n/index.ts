import { en } from './en';
import { ja } from './ja';
import { pref } from '../theme/prefs';

export type Key = keyof typeof en;
export type Params = Record<string, string | number>;
export type Lang = 'en' | 'ja';
export type T = (key: Key, params?: Params) => string;

const catalogs: Record<Lang, Record<Key, string>> = { en, ja };
export const langs: Record<Lang, string> = { en: 'English', ja: '日本語' };

function preferred(): Lang {
  return typeof navigator !== 'undefined' && navigator.language.startsWith('ja') ? 'ja' : 'en';
}

export const langPref = pref<Lang>('lang', preferred(), (v) => (v === 'ja' ? 'ja' : 'en'));

/** Fills {name} with its parameter, and {n|one|many} with the form that fits n. */
export function fill(text: string, params: Params = {}): string {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const v = params[name];
    if (v === undefined) return whole;
    if (one !== undefined && many !== undefined) return Number(v) === 1 ? one : many;
    return String(v);
  });
}

export function translator(lang: Lang): T {
  const catalog = catalogs[lang];
  return (key, params) => fill(catalog[key], params);
}

const translators: Record<Lang, T> = { en: translator('en'), ja: translator('ja') };

export function useLang(): Lang {
  return langPref.use();
}

export function useT(): T {
  return translators[langPref.use()];
}
