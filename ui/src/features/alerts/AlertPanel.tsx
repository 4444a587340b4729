import { Button, Menu, Switch } from '@mantine/core';
import { IconBell, IconBellOff, IconPencil, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { json } from '@/shared/api/client';
import { alertHistoryQuery, previewQuery, type Alert } from '@/shared/api/observe';
import { Plot } from '@/shared/charts/Plot';
import { full, when } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { ErrorNotice, KV, Tag } from '@/shared/ui/Bits';
import { Sheet } from '@/shared/ui/Sheet';
import { State } from './AlertTable';
import s from './Alerts.module.css';
import { body, draftOf } from './draft';
import { condition, show } from './measures';

const naps = ['1h', '8h', '1d', '7d'];

/** An alert as it stands: its figure over time, its groups and its history; test, snooze, switch off, delete. */
export function AlertPanel({ alert: a, may, onClose, onEdit }: { alert: Alert; may: boolean; onClose: () => void; onEdit: () => void }) {
  const t = useT();
  const lang = useLang();
  const client = useQueryClient();
  const [asked, setAsked] = useState(false);
  const again = () => client.invalidateQueries({ queryKey: ['alerts'] });
  const path = `/alerts/${encodeURIComponent(a.id)}`;
  const preview = useQuery(previewQuery(body(draftOf(a), false)));
  const test = useMutation({ mutationFn: () => json<{ results: { channel: string; ok: boolean; error: string }[] }>('POST', `${path}/test`), onSettled: again });
  const act = useMutation({ mutationFn: (x: { method: string; path: string; body?: unknown }) => json(x.method, x.path, { body: x.body }), onSettled: again });
  const snooze = (until: string) => act.mutate({ method: 'POST', path: `${path}/snooze`, body: { until } });
  const remove = () => act.mutate({ method: 'DELETE', path }, { onSuccess: onClose });
  return (
    <Sheet title={<span className={s.title}><strong className="ellipsis">{a.name}</strong> <State alert={a} /></span>} onClose={onClose}>
      <div className={s.panel}>
        <div>{condition(a, t)}</div>
        {preview.isError ? <ErrorNotice error={preview.error} /> : <Plot points={preview.data?.points ?? []} unit={(v) => show(a.measure, v)} threshold={a.threshold} above={a.op === '>'} label={condition(a, t)} />}
        <KV
          rows={[
            [t('alert.value'), <span className="num">{show(a.measure, a.value)}</span>],
            [t('alert.reason'), a.reason],
            [t('filter.label'), a.filter && <code className="mono">{a.filter}</code>],
            [t('alert.since'), a.since && <span className="num">{full(a.since, lang)}</span>],
            [t('alert.checked'), a.last_checked && <span className="num">{full(a.last_checked, lang)}</span>],
            [t('alert.notified'), a.last_notified && <span className="num">{full(a.last_notified, lang)}</span>],
            [t('alert.snoozed'), a.snoozed_until && <span className="num">{full(a.snoozed_until, lang)}</span>],
            [t('alert.channels'), a.channels.length === 0 ? <span className="dim">{t('alert.nochannel')}</span> : a.channels.map((c) => <div key={c.id}>{c.kind} <span className="dim2">{c.to || c.url}</span> {c.signed && <Tag>{t('alert.signed')}</Tag>}</div>)],
          ]}
        />
        <Link to="/traces" search={{ r: a.window, q: a.filter || undefined, view: 'calls' }}>{t('alert.list')}</Link>
        {may && (
          <div className={s.actions}>
            <Button variant="default" leftSection={<IconPencil size={14} />} onClick={onEdit}>{t('edit')}</Button>
            <Button variant="default" leftSection={<IconBell size={14} />} loading={test.isPending} disabled={a.channels.length === 0} onClick={() => test.mutate()}>{t('alert.test')}</Button>
            <Menu>
              <Menu.Target><Button variant="default" leftSection={<IconBellOff size={14} />}>{t('alert.snooze')}</Button></Menu.Target>
              <Menu.Dropdown>
                {naps.map((n) => <Menu.Item key={n} onClick={() => snooze(n)}>{n}</Menu.Item>)}
                {a.snoozed_until && <Menu.Item onClick={() => snooze('')}>{t('alert.wake')}</Menu.Item>}
              </Menu.Dropdown>
            </Menu>
            <Switch label={t('alert.enabled')} checked={a.enabled} onChange={(e) => act.mutate({ method: 'PATCH', path, body: { enabled: e.currentTarget.checked } })} />
            <Button variant="subtle" color="red" leftSection={<IconTrash size={14} />} onClick={() => (asked ? remove() : setAsked(true))}>{t(asked ? 'alert.delete.sure' : 'delete')}</Button>
          </div>
        )}
        {(act.isError || test.isError) && <ErrorNotice error={act.error ?? test.error} />}
        {test.data && <ul className={s.results} role="status">{test.data.results.map((r) => <li key={r.channel}>{r.ok ? <Tag tone="ok">{t('status.ok')}</Tag> : <Tag tone="err">{t('status.error')}</Tag>} {r.channel} <span className="err">{r.error}</span></li>)}</ul>}
        {a.groups.length > 1 && <Groups a={a} />}
        <History id={a.id} measure={a.measure} />
      </div>
    </Sheet>
  );
}

function Groups({ a }: { a: Alert }) {
  const t = useT();
  return (
    <section>
      <h3>{a.group_by}</h3>
      <ul className={s.results}>
        {a.groups.map((g) => (
          <li key={g.group}><State alert={{ state: g.state as Alert['state'], reason: g.reason, enabled: true, snoozed_until: '' }} /> {g.group || t('unset')} <span className="num dim2">{show(a.measure, g.value)}</span></li>
        ))}
      </ul>
    </section>
  );
}

function History({ id, measure }: { id: string; measure: string }) {
  const t = useT();
  const lang = useLang();
  const items = useQuery(alertHistoryQuery(id)).data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <section>
      <h3>{t('alert.history')}</h3>
      <ul className={s.results}>
        {items.map((e, i) => (
          <li key={i}>
            <span className="num dim2" title={full(e.time, lang)}>{when(e.time, lang)}</span> <State alert={{ state: e.state as Alert['state'], reason: e.reason, enabled: true, snoozed_until: '' }} /> {e.group} <span className="num">{show(measure, e.value)}</span>{' '}
            {e.notified.map((n) => <Tag key={n.channel} tone={n.ok ? undefined : 'err'} title={n.error || undefined}>{n.channel}</Tag>)}
          </li>
        ))}
      </ul>
    </section>
  );
}
