import type { ColumnDef } from '@tanstack/react-table';
import type { UserUsage } from '@/shared/api/observe';
import { ago, compact, full, int, money } from '@/shared/format/format';
import { total } from '@/shared/format/usage';
import type { Lang, T } from '@/shared/i18n';
import { TokenBar } from '@/shared/ui/Bits';
import { meanText } from '@/shared/ui/Means';

export const nameOf = (u: UserUsage) => u.user || u.end_user || u.email;

export function columns(t: T, lang: Lang, narrow: boolean, scores: string[]): ColumnDef<UserUsage>[] {
  const all: (ColumnDef<UserUsage> & { wide?: boolean })[] = [
    { id: 'user', header: t('f.user'), size: narrow ? 170 : 200, meta: { grow: true }, cell: ({ row: { original: u } }) => <>{u.email || nameOf(u)} {u.email && u.user && u.user !== u.email && <span className="dim2 mono">{u.user}</span>}</> },
    { id: 'sessions', header: t('nav.sessions'), size: 72, wide: true, meta: { right: true }, cell: ({ row: { original: u } }) => int(u.sessions, lang) },
    { id: 'traces', header: t('nav.traces'), size: 64, wide: true, meta: { right: true }, cell: ({ row: { original: u } }) => int(u.traces, lang) },
    { id: 'calls', header: t('m.calls'), size: 70, meta: { right: true, sort: 'calls' }, cell: ({ row: { original: u } }) => int(u.calls, lang) },
    { id: 'errors', header: t('m.errors'), size: 66, wide: true, meta: { right: true, sort: 'errors' }, cell: ({ row: { original: u } }) => (u.errors > 0 ? <span className="err">{int(u.errors, lang)}</span> : null) },
    { id: 'tokens', header: t('m.tokens'), size: 118, wide: true, meta: { right: true, sort: 'tokens' }, cell: ({ row: { original: u } }) => <><TokenBar usage={u.usage} width={52} /> <span style={{ display: 'inline-block', minWidth: 44 }}>{compact(total(u.usage))}</span></> },
    { id: 'cost', header: t('m.cost'), size: 92, meta: { right: true, sort: 'cost' }, cell: ({ row: { original: u } }) => money(u.cost_usd, lang) },
    { id: 'models', header: t('f.models'), size: 150, wide: true, cell: ({ row: { original: u } }) => u.models.join(', ') },
    ...scores.map((name) => ({ id: `score.${name}`, header: name, size: 72, wide: true, meta: { right: true }, cell: ({ row: { original: u } }: { row: { original: UserUsage } }) => meanText(u.scores.find((x) => x.name === name)) })),
    { id: 'first', header: t('users.first'), size: 104, wide: true, cell: ({ row: { original: u } }) => <span title={full(u.first_seen, lang)}>{ago(u.first_seen, lang)}</span> },
    { id: 'last', header: t('users.last'), size: 104, wide: true, meta: { sort: 'last_seen' }, cell: ({ row: { original: u } }) => <span title={full(u.last_seen, lang)}>{ago(u.last_seen, lang)}</span> },
  ];
  return all.filter((c) => !narrow || !c.wide);
}
