import { useViewportSize } from '@mantine/hooks';
import type { ColumnDef } from '@tanstack/react-table';
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { ErrorGroup } from '@/shared/api/observe';
import { Spark } from '@/shared/charts/Spark';
import { ago, full, int, percent } from '@/shared/format/format';
import { useLang, useT, type Lang, type T } from '@/shared/i18n';
import type { Range } from '@/shared/time/range';
import { Tag } from '@/shared/ui/Bits';
import { DataTable } from '@/shared/ui/DataTable';
import s from './Errors.module.css';
import { times } from './links';
import type { Kind } from './search';

export function Groups({ items, by, sel, range, more, onSel }: { items: ErrorGroup[]; by: Kind[]; sel?: string; range: Range; more: boolean; onSel: (id?: string) => void }) {
  const t = useT();
  const lang = useLang();
  const go = useNavigate();
  const { width } = useViewportSize();
  const cols = useMemo(() => columns(t, lang, by, width < 760), [t, lang, by, width]);
  if (items.length === 0) return <div className={s.quiet}>{t('errors.none')}</div>;
  return (
    <DataTable
      name="errors" label={t('errors.groups')} columns={cols} rows={items} id={(g) => g.id} cursor={sel} onCursor={onSel} bad={() => 'bad'}
      onOpen={(g) => void go({ to: '/traces', search: { ...times(range), view: 'spans', q: g.filter } })} foot={more ? t('errors.more') : null}
    />
  );
}

function columns(t: T, lang: Lang, by: Kind[], narrow: boolean): ColumnDef<ErrorGroup>[] {
  const has = (k: Kind) => by.includes(k);
  const all: (ColumnDef<ErrorGroup> & { wide?: boolean; off?: boolean })[] = [
    { id: 'count', header: t('m.errors'), size: narrow ? 56 : 74, meta: { right: true }, cell: ({ row: { original: g } }) => <strong>{int(g.count, lang)}</strong> },
    { id: 'share', header: t('errors.share'), size: 62, wide: true, meta: { right: true }, cell: ({ row: { original: g } }) => percent(g.share) },
    { id: 'class', header: t('f.error_type'), size: 170, wide: true, off: !has('class'), cell: ({ row: { original: g } }) => g.class },
    {
      id: 'shape', header: t('errors.shape'), size: narrow ? 200 : 260, meta: { grow: true }, off: !has('shape') && !narrow,
      cell: ({ row: { original: g } }) => <span className={s.shape}>{g.http > 0 && <Tag tone="err">{g.http}</Tag>}<span className="ellipsis">{g.shape || g.class || g.model || t('unset')}</span></span>,
    },
    { id: 'http', header: t('f.http'), size: 62, wide: true, off: !has('http') || has('shape'), cell: ({ row: { original: g } }) => g.http || '' },
    { id: 'model', header: t('f.model'), size: 150, wide: true, off: !has('model'), cell: ({ row: { original: g } }) => g.model },
    { id: 'provider', header: t('f.provider'), size: 100, wide: true, off: !has('provider'), cell: ({ row: { original: g } }) => g.provider },
    { id: 'spark', header: t('errors.when'), size: 132, wide: true, cell: ({ row: { original: g } }) => <Spark values={g.spark} label={t('errors.when')} /> },
    { id: 'users', header: t('nav.users'), size: 62, wide: true, meta: { right: true }, cell: ({ row: { original: g } }) => int(g.users, lang) },
    { id: 'first', header: t('errors.first'), size: 104, wide: true, cell: ({ row: { original: g } }) => <span title={full(g.first, lang)}>{ago(g.first, lang)}</span> },
    { id: 'last', header: t('errors.last'), size: 104, cell: ({ row: { original: g } }) => <span title={full(g.last, lang)}>{ago(g.last, lang)}</span> },
  ];
  return all.filter((c) => !c.off && !(narrow && c.wide));
}
