/** Numbers, money, durations and times as people read them. Pure; the locale comes in as an argument. */

const cache = new Map<string, Intl.NumberFormat>();

function nf(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale + JSON.stringify(options);
  let f = cache.get(key);
  if (!f) {
    f = new Intl.NumberFormat(locale, options);
    cache.set(key, f);
  }
  return f;
}

export const none = '–';

export function int(n: number | undefined | null, locale = 'en'): string {
  return n == null ? none : nf(locale, { maximumFractionDigits: 0 }).format(n);
}

/** 1234567 → 1.23M. Latin suffixes in every language, since they stand in narrow columns beside tokens. */
export function compact(n: number | undefined | null): string {
  if (n == null) return none;
  return nf('en', { notation: 'compact', maximumSignificantDigits: 3 }).format(n);
}

/** Two significant digits below a cent, so that the price of one call never reads as nothing. */
export function money(usd: number | undefined | null, locale = 'en'): string {
  if (usd == null) return none;
  const a = Math.abs(usd);
  if (a === 0) return '$0';
  const digits = a >= 1000 ? 0 : a >= 1 ? 2 : a >= 0.01 ? 4 : Math.min(9, 1 - Math.floor(Math.log10(a)));
  return (usd < 0 ? '−$' : '$') + nf(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(a);
}

/** Prices per million tokens: at least cents, more only where there are more. */
export function rate(usd: number | undefined | null, locale = 'en'): string {
  return usd == null ? none : '$' + nf(locale, { minimumFractionDigits: 2, maximumFractionDigits: 5 }).format(usd);
}

/** For axes: 5.00 s reads as 5 s. */
export function durationShort(ms: number): string {
  return duration(ms).replace(/\.0+ s$/, ' s').replace(/(\.\d)0 s$/, '$1 s');
}

/** For axes and totals. */
export function moneyShort(usd: number | undefined | null): string {
  if (usd == null) return none;
  const a = Math.abs(usd);
  if (a === 0) return '$0';
  if (a >= 10_000) return '$' + compact(usd);
  if (a >= 100) return '$' + usd.toFixed(0);
  if (a >= 0.1) return '$' + usd.toFixed(2);
  return '$' + Number(usd.toPrecision(2)).toString();
}

/** For narrow columns: what is less than a hundredth of a cent is said to be so. */
export function moneyTiny(usd: number): string {
  return Math.abs(usd) < 0.0001 && usd !== 0 ? '<$0.0001' : moneyShort(usd);
}

export function duration(ms: number | undefined | null): string {
  if (ms == null) return none;
  if (ms < 1) return ms === 0 ? '0 ms' : ms.toFixed(2) + ' ms';
  if (ms < 1000) return Math.round(ms) + ' ms';
  if (ms < 10_000) return (ms / 1000).toFixed(2) + ' s';
  if (ms < 60_000) return (ms / 1000).toFixed(1) + ' s';
  const s = Math.round(ms / 1000);
  if (s < 3600) return `${Math.floor(s / 60)}m ${s % 60}s`;
  if (s < 86_400) return `${Math.floor(s / 3600)}h ${Math.floor((s % 3600) / 60)}m`;
  return `${Math.floor(s / 86_400)}d ${Math.floor((s % 86_400) / 3600)}h`;
}

export function bytes(n: number | undefined | null): string {
  if (n == null) return none;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let v = n;
  let i = 0;
  while (v >= 1000 && i < units.length - 1) {
    v /= 1000;
    i++;
  }
  return `${i === 0 || v >= 100 ? Math.round(v) : v.toPrecision(3).replace(/\.?0+$/, '')} ${units[i]}`;
}

export function percent(share: number | undefined | null, digits = 0): string {
  return share == null || !Number.isFinite(share) ? none : (share * 100).toFixed(digits) + '%';
}

/** Change against the period before; undefined where the period before had nothing. */
export function change(now: number, before: number): number | undefined {
  return before > 0 ? (now - before) / before : undefined;
}

const dates = new Map<string, Intl.DateTimeFormat>();

function df(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options);
  let f = dates.get(key);
  if (!f) {
    f = new Intl.DateTimeFormat(locale, options);
    dates.set(key, f);
  }
  return f;
}

const clock: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };

/** Today as a clock time, else with the day. */
export function when(iso: string | number, locale = 'en', now = new Date()): string {
  const d = new Date(iso);
  if (Number.isNaN(d.getTime())) return none;
  if (d.toDateString() === now.toDateString()) return df(locale, clock).format(d);
  return df(locale, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(d);
}

export function full(iso: string | number, locale = 'en'): string {
  const d = new Date(iso);
  if (Number.isNaN(d.getTime())) return none;
  return df(locale, { year: 'numeric', month: 'short', day: 'numeric', ...clock, fractionalSecondDigits: 3, timeZoneName: 'short' }).format(d);
}

export function ago(iso: string, locale = 'en', now = Date.now()): string {
  const s = Math.round((new Date(iso).getTime() - now) / 1000);
  const f = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  const a = Math.abs(s);
  if (a < 60) return f.format(s, 'second');
  if (a < 3600) return f.format(Math.round(s / 60), 'minute');
  if (a < 86_400) return f.format(Math.round(s / 3600), 'hour');
  return f.format(Math.round(s / 86_400), 'day');
}

/** The end of an id: ids begin with their time, so neighbours differ only there. */
export function short(id: string, n = 8): string {
  return id.length > n + 1 ? '…' + id.slice(-n) : id;
}
