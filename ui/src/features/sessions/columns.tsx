import type { ColumnDef } from '@tanstack/react-table';
import type { SessionRow } from '@/shared/api/types';
import { compact, duration, full, int, money, percent, when } from '@/shared/format/format';
import { total } from '@/shared/format/usage';
import type { Lang, T } from '@/shared/i18n';
import { Tag, TokenBar } from '@/shared/ui/Bits';
import { Means } from '@/shared/ui/Means';

export function columns(t: T, lang: Lang, narrow: boolean, scored: boolean): ColumnDef<SessionRow>[] {
  const all: (ColumnDef<SessionRow> & { wide?: boolean })[] = [
    { id: 'end', header: t('c.last'), size: 104, cell: ({ row: { original: r } }) => <span className="num" title={full(r.end, lang)}>{when(r.end, lang)}</span> },
    { id: 'name', header: t('f.session'), size: narrow ? 180 : 240, meta: { grow: true }, cell: ({ row: { original: r } }) => <>{r.name || <span className="mono dim">{r.session}</span>} {r.errors > 0 && <Tag tone="err">{t('errors.n', { n: r.errors })}</Tag>}</> },
    { id: 'client', header: t('f.client'), size: 110, wide: true, cell: ({ row: { original: r } }) => r.client },
    { id: 'user', header: t('f.user'), size: 150, wide: true, cell: ({ row: { original: r } }) => r.email || r.user || r.key_alias },
    { id: 'models', header: t('f.models'), size: 150, wide: true, cell: ({ row: { original: r } }) => r.models?.join(', ') },
    { id: 'span', header: t('c.length'), size: 80, wide: true, meta: { right: true }, cell: ({ row: { original: r } }) => duration(Date.parse(r.end) - Date.parse(r.start)) },
    { id: 'calls', header: t('m.calls'), size: 64, wide: true, meta: { right: true }, cell: ({ row: { original: r } }) => int(r.calls, lang) },
    { id: 'traces', header: t('nav.traces'), size: 64, wide: true, meta: { right: true }, cell: ({ row: { original: r } }) => int(r.traces, lang) },
    { id: 'cache', header: t('m.cacheshare'), size: 84, wide: true, meta: { right: true }, cell: ({ row: { original: r } }) => percent(r.cache_read_share) },
    { id: 'tokens', header: t('m.tokens'), size: 122, wide: true, meta: { right: true }, cell: ({ row: { original: r } }) => <><TokenBar usage={r.usage} width={52} /> <span style={{ display: 'inline-block', minWidth: 44 }}>{compact(total(r.usage))}</span></> },
    ...(scored ? [{ id: 'scores', header: t('tab.scores'), size: 170, wide: true, cell: ({ row: { original: r } }: { row: { original: SessionRow } }) => <Means scores={r.scores ?? []} /> }] : []),
    { id: 'cost', header: t('m.cost'), size: 96, meta: { right: true }, cell: ({ row: { original: r } }) => money(r.cost_usd, lang) },
  ];
  return all.filter((c) => !narrow || !c.wide);
}
