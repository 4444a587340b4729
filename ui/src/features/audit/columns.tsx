import type { ColumnDef } from '@tanstack/react-table';
import type { AuditEntry } from '@/shared/api/observe';
import { full, when } from '@/shared/format/format';
import type { Lang, T } from '@/shared/i18n';

const brief = (v: unknown) => {
  const s = JSON.stringify(v ?? {});
  return s === '{}' ? '' : s;
};

export function columns(t: T, lang: Lang, narrow: boolean): ColumnDef<AuditEntry>[] {
  const all: (ColumnDef<AuditEntry> & { wide?: boolean })[] = [
    { id: 'time', header: t('c.time'), size: 108, cell: ({ row: { original: e } }) => <span className="num" title={full(e.time, lang)}>{when(e.time, lang)}</span> },
    { id: 'action', header: t('audit.action'), size: 150, cell: ({ row: { original: e } }) => <strong>{e.action}</strong> },
    { id: 'actor', header: t('audit.actor'), size: narrow ? 120 : 190, cell: ({ row: { original: e } }) => e.actor },
    { id: 'target', header: t('audit.target'), size: 220, wide: true, cell: ({ row: { original: e } }) => <span className="mono">{e.target}</span> },
    { id: 'detail', header: t('audit.detail'), size: 240, wide: true, meta: { grow: true }, cell: ({ row: { original: e } }) => <span className="mono dim2">{brief(e.detail)}</span> },
    { id: 'ip', header: 'IP', size: 110, wide: true, cell: ({ row: { original: e } }) => e.ip },
    { id: 'seq', header: t('audit.seq'), size: 64, wide: true, meta: { right: true }, cell: ({ row: { original: e } }) => e.seq },
  ];
  return all.filter((c) => !narrow || !c.wide);
}
