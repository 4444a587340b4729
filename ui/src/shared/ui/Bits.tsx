import { ActionIcon, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { ApiError } from '../api/client';
import { int } from '../format/format';
import { prompt, total, writes, type Buckets } from '../format/usage';
import { useLang, useT, type Key } from '../i18n';
import s from './Bits.module.css';

export { s as bits };

const parts: { key: Key; color: string; of: (u: Buckets) => number }[] = [
  { key: 'tok.read', color: 'var(--w-tok-read)', of: (u) => u.cache_read ?? 0 },
  { key: 'tok.write', color: 'var(--w-tok-write)', of: writes },
  { key: 'tok.fresh', color: 'var(--w-tok-fresh)', of: (u) => u.input ?? 0 },
  { key: 'tok.output', color: 'var(--w-tok-output)', of: (u) => u.output ?? 0 },
];
export const tokenParts = parts;

/** The four buckets as one thin bar; `max` is the total that fills the width. */
export function TokenBar({ usage, max, width = 64 }: { usage: Buckets; max?: number; width?: number | string }) {
  const t = useT();
  const lang = useLang();
  const sum = total(usage);
  const full = Math.max(max ?? sum, 1);
  const label = parts.map((p) => `${t(p.key)} ${int(p.of(usage), lang)}`).join(' · ');
  return (
    <span className={s.bar} style={{ width }} role="img" aria-label={label} title={label}>
      {parts.map((p) =>
        p.of(usage) > 0 ? <span key={p.key} style={{ width: `${(p.of(usage) / full) * 100}%`, background: p.color }} /> : null,
      )}
    </span>
  );
}

export function TokenLegend({ usage }: { usage: Buckets }) {
  const t = useT();
  const lang = useLang();
  return (
    <>
      {parts.map((p) => (
        <span key={p.key} className={s.legend}>
          <span className={s.swatch} style={{ background: p.color }} />
          <span className="dim2">{t(p.key)}</span>
          <span className="num">{int(p.of(usage), lang)}</span>
        </span>
      ))}
    </>
  );
}

export function promptOf(u: Buckets | undefined): number {
  return u ? prompt(u) : 0;
}

export function Dot({ color }: { color: string }) {
  return <span className={s.dot} style={{ background: color }} aria-hidden />;
}

export type Tone = 'err' | 'ok' | 'warn' | 'accent';

export function Tag({ children, tone, title }: { children: ReactNode; tone?: Tone; title?: string }) {
  const tones = { err: s.tagErr, ok: s.tagOk, warn: s.tagWarn, accent: s.tagAccent };
  return (
    <span className={`${s.tag} ${tone ? tones[tone] : ''}`} title={title}>
      {children}
    </span>
  );
}

export function StatusTag({ status, http }: { status: string; http?: number }) {
  const t = useT();
  const known: Record<string, Key> = { ok: 'status.ok', error: 'status.error', canceled: 'status.canceled', interrupted: 'status.interrupted' };
  const tone: Tone = status === 'ok' ? 'ok' : status === 'error' ? 'err' : 'warn';
  const name = known[status];
  return (
    <Tag tone={tone}>
      {name ? t(name) : status}
      {http ? ` ${http}` : ''}
    </Tag>
  );
}

export function Copy({ text, label, size = 24 }: { text: string | (() => string); label?: string; size?: number }) {
  const t = useT();
  const c = useClipboard({ timeout: 1200 });
  const name = c.copied ? t('copied') : (label ?? t('copy'));
  return (
    <Tooltip label={name}>
      <ActionIcon size={size} aria-label={name} onClick={() => c.copy(typeof text === 'string' ? text : text())}>
        {c.copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
      </ActionIcon>
    </Tooltip>
  );
}

export function Page({ children }: { children: ReactNode }) {
  return <div className={s.page}>{children}</div>;
}

export function PageBar({ title, children }: { title?: ReactNode; children?: ReactNode }) {
  return (
    <header className={s.pagebar}>
      {title !== undefined && <h1 className={s.title}>{title}</h1>}
      {children}
    </header>
  );
}

export function Spacer() {
  return <span className={s.spacer} />;
}

/** What happened, what to do, and a code to search for. */
export function ErrorNotice({ error, retry }: { error: unknown; retry?: () => void }) {
  const t = useT();
  const e = error instanceof ApiError ? error : undefined;
  const advice: Key = e?.status === 0 ? 'error.unreachable' : e?.status === 403 ? 'error.forbidden' : e?.status === 404 ? 'error.missing' : 'error.generic';
  return (
    <div className={s.notice} role="alert">
      <p>
        <strong>{error instanceof Error ? error.message : String(error)}</strong>
        {e?.field && <span className="dim2"> ({e.field})</span>}
      </p>
      <p className="dim2">
        {t(advice)} {e && <code className="mono">{e.code}</code>}{' '}
        {retry && (
          <button type="button" className={s.jlink} onClick={retry}>
            {t('retry')}
          </button>
        )}
      </p>
    </div>
  );
}

export function Waiting() {
  const t = useT();
  return (
    <div className={s.center} role="status">
      {t('loading')}
    </div>
  );
}

export function KV({ rows }: { rows: [ReactNode, ReactNode][] }) {
  return (
    <dl className={s.kv}>
      {rows
        .filter(([, v]) => v !== undefined && v !== null && v !== '')
        .map(([k, v], i) => (
          <div key={i} style={{ display: 'contents' }}>
            <dt>{k}</dt>
            <dd>{v}</dd>
          </div>
        ))}
    </dl>
  );
}
