import { ActionIcon } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import type { Alert } from '@/shared/api/observe';
import { ago, full } from '@/shared/format/format';
import { useLang, useT, type Key } from '@/shared/i18n';
import { Tag, type Tone } from '@/shared/ui/Bits';
import s from './Alerts.module.css';
import { condition, show } from './measures';

const states: Record<string, { tone?: Tone; key: Key }> = { ok: { tone: 'ok', key: 'alert.ok' }, firing: { tone: 'err', key: 'alert.firing' }, no_data: { tone: 'warn', key: 'alert.nodata' }, error: { tone: 'warn', key: 'alert.error' } };

export function State({ alert: a }: { alert: Pick<Alert, 'state' | 'enabled' | 'snoozed_until' | 'reason'> }) {
  const t = useT();
  const lang = useLang();
  if (!a.enabled) return <Tag>{t('alert.off')}</Tag>;
  const x = states[a.state] ?? states.error!;
  return (
    <>
      <Tag tone={x.tone} title={a.reason || undefined}>{t(x.key)}</Tag> {a.snoozed_until && <Tag title={full(a.snoozed_until, lang)}>{t('alert.snoozed')}</Tag>}
    </>
  );
}

export function AlertTable({ items, sel, onSel, onEdit, may }: { items: Alert[]; sel?: string; onSel: (id: string) => void; onEdit: (id: string) => void; may: boolean }) {
  const t = useT();
  const lang = useLang();
  return (
    <div className={s.fits}>
    <table className={s.table}>
      <thead>
        <tr>
          <th className={s.state}>{t('f.status')}</th>
          <th>{t('c.name')}</th>
          <th className={s.wide}>{t('alert.when')}</th>
          <th className={`${s.r} ${s.mid}`}>{t('alert.value')}</th>
          <th className={`${s.wide} ${s.since}`}>{t('alert.since')}</th>
          <th className={`${s.wide} ${s.since}`}>{t('alert.channels')}</th>
          <th className={s.act}><span className="sr">{t('actions')}</span></th>
        </tr>
      </thead>
      <tbody>
        {items.map((a) => (
          <tr key={a.id} data-on={a.id === sel || undefined} data-bad={(a.enabled && a.state === 'firing') || undefined} onClick={() => onSel(a.id)}>
            <td><State alert={a} /></td>
            <td><button type="button" className={s.name} onClick={(e) => (e.stopPropagation(), onSel(a.id))}>{a.name}</button></td>
            <td className={s.wide} title={a.filter}>{condition(a, t)}</td>
            <td className={`${s.r} ${s.mid}`}>{show(a.measure, a.value)}</td>
            <td className={s.wide}>{a.since && <span title={full(a.since, lang)}>{ago(a.since, lang)}</span>}</td>
            <td className={s.wide}>{a.channels.length === 0 ? <span className="dim">{t('alert.nochannel')}</span> : a.channels.map((c) => c.kind).join(', ')}</td>
            <td className={s.act}>
              {may && <ActionIcon aria-label={t('alert.edit.of', { name: a.name })} title={t('edit')} onClick={(e) => (e.stopPropagation(), onEdit(a.id))}><IconPencil size={15} /></ActionIcon>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
    </div>
  );
}
