import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { get } from '@/shared/api/client';
import type { Page, TraceRow } from '@/shared/api/types';
import { refOf } from '@/shared/diff/ref';
import { duration, money, when } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { Tag } from '@/shared/ui/Bits';
import { KindIcon } from '@/shared/ui/Kind';
import s from './Diff.module.css';

/** Chooses the two sides: an id or address each, or two of the newest calls. */
export function Picker({ a, b, onPick }: { a?: string; b?: string; onPick: (x: { a?: string; b?: string }) => void }) {
  const t = useT();
  const [first, setFirst] = useState(a ?? '');
  const [second, setSecond] = useState(b ?? '');
  const [x, y] = [refOf(first), refOf(second)];
  const newest = useQuery({ queryKey: ['traces', 'newest', 40], queryFn: ({ signal }) => get<Page<TraceRow>>('/traces', { limit: 40 }, signal), staleTime: 10_000 });
  const pick = (ref: string) => (first.trim() === '' ? setFirst(ref) : setSecond(ref));
  return (
    <div className={s.picker}>
      <p className="dim2">{t('diff.intro')}</p>
      <form className={s.pickForm} onSubmit={(e) => (e.preventDefault(), x && y && onPick({ a: x, b: y }))}>
        <TextInput label="A" placeholder={t('diff.paste')} value={first} onChange={(e) => setFirst(e.currentTarget.value)} error={first.trim() !== '' && !x} autoFocus={!a} />
        <TextInput label="B" placeholder={t('diff.paste')} value={second} onChange={(e) => setSecond(e.currentTarget.value)} error={second.trim() !== '' && !y} autoFocus={!!a} />
        <Button type="submit" disabled={!x || !y}>{t('diff.go')}</Button>
      </form>
      <section aria-label={t('diff.newest')}>
        <h2 className={s.h}>{t('diff.newest')}</h2>
        {newest.data?.items.map((r) => <Choice key={`${r.trace}/${r.id}`} r={r} chosen={[x, y].includes(`${r.trace}/${r.id}`)} onPick={pick} />)}
      </section>
    </div>
  );
}

function Choice({ r, chosen, onPick }: { r: TraceRow; chosen: boolean; onPick: (ref: string) => void }) {
  const lang = useLang();
  return (
    <button type="button" className={s.choice} aria-pressed={chosen} onClick={() => onPick(`${r.trace}/${r.id}`)}>
      <KindIcon kind={r.kind} />
      <span className="num dim2">{when(r.start, lang)}</span>
      <span className="ellipsis" style={{ flex: 1 }}>{r.input_preview || r.name}</span>
      {r.status !== 'ok' && <Tag tone="err">{r.error_type || r.status}</Tag>}
      <span className="dim2 ellipsis">{r.model}</span>
      <span className="num dim2">{duration(r.duration_ms)}</span>
      <span className="num">{r.cost_usd ? money(r.cost_usd, lang) : ''}</span>
    </button>
  );
}
