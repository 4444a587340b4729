import { en } from './en';
import { pref } from '../theme/prefs';

export type Key = keyof typeof en;
export type Params = Record<string, string | number>;
export type Lang = 'en' | 'ja';
export type T = (key: Key, params?: Params) => string;

const catalogs: Partial<Record<Lang, Record<Key, string>>> = { en };
export const langs: Record<Lang, string> = { en: 'English', ja: '日本語' };

function preferred(): Lang {
  return typeof navigator !== 'undefined' && navigator.language.startsWith('ja') ? 'ja' : 'en';
}

export const langPref = pref<Lang>('lang', preferred(), (v) => (v === 'ja' ? 'ja' : 'en'));

/** Loads a language's texts; English is always there. To be awaited before the first page is drawn. */
export async function loadLang(lang: Lang = langPref.get()): Promise<void> {
  if (lang === 'ja' && !catalogs.ja) catalogs.ja = (await import('./ja')).ja;
}

/** Changes the language once its texts are there. */
export async function setLang(lang: Lang): Promise<void> {
  await loadLang(lang);
  langPref.set(lang);
}

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
  return (key, params) => fill((catalogs[lang] ?? en)[key], params);
}

const translators: Record<Lang, T> = { en: translator('en'), ja: translator('ja') };

export function useLang(): Lang {
  return langPref.use();
}

export function useT(): T {
  return translators[langPref.use()];
}
