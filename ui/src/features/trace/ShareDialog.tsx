import { ActionIcon, Button, Modal, SegmentedControl, Switch, TextInput } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { get, json } from '@/shared/api/client';
import { full } from '@/shared/format/format';
import { useLang, useT, type Key } from '@/shared/i18n';
import { Copy, ErrorNotice, Tag } from '@/shared/ui/Bits';
import s from './Dialogs.module.css';

export interface Share {
  id: string;
  token?: string;
  url?: string;
  expires: string;
  created?: string;
  author?: string;
  bodies?: boolean;
}

const times = ['1h', '1d', '7d', '30d'] as const;
const names: Record<(typeof times)[number], Key> = { '1h': 'share.1h', '1d': 'share.1d', '7d': 'share.7d', '30d': 'share.30d' };

/** Links by which anybody may read this trace, until they expire or are taken back. */
export function ShareDialog({ trace, onClose }: { trace: string; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const [expires, setExpires] = useState<string>('7d');
  const [bodies, setBodies] = useState(true);
  const [made, setMade] = useState<Share>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const list = useQuery({ queryKey: ['shares', trace], queryFn: ({ signal }) => get<{ items: Share[] }>('/shares', { trace }, signal), retry: false });
  const run = async (f: () => Promise<void>) => {
    setBusy(true);
    setError(undefined);
    await f().catch(setError);
    setBusy(false);
    await client.invalidateQueries({ queryKey: ['shares', trace] });
  };
  const create = () => run(async () => setMade(await json<Share>('POST', '/shares', { body: { trace, expires, bodies } })));
  const revoke = (id: string) => run(async () => (await json('DELETE', `/shares/${encodeURIComponent(id)}`), setMade(undefined)));
  const url = made && linkOf(made);
  return (
    <Modal opened onClose={onClose} title={t('share')} size={520} closeButtonProps={{ 'aria-label': t('close') }}>
      <div className={s.column}>
        <p className={s.note}>{t('share.what')}</p>
        <div className={s.row}>
          <span id="share-expires" className={s.label}>{t('share.expires')}</span>
          <SegmentedControl aria-labelledby="share-expires" value={expires} onChange={setExpires} data={times.map((x) => ({ value: x, label: t(names[x]) }))} />
        </div>
        <Switch label={t('share.bodies')} description={t('share.bodies.hint')} checked={bodies} onChange={(e) => setBodies(e.currentTarget.checked)} />
        {url ? (
          <TextInput label={t('share.link')} description={t('share.once')} value={url} readOnly onFocus={(e) => e.currentTarget.select()} rightSection={<Copy text={url} label={t('copy.link')} size={24} />} data-autofocus />
        ) : (
          <Button onClick={() => void create()} loading={busy} style={{ justifySelf: 'start' }} data-autofocus>{t('share.create')}</Button>
        )}
        {error != null && <ErrorNotice error={error} />}
        <Links items={list.data?.items ?? []} onRevoke={(id) => void revoke(id)} />
      </div>
    </Modal>
  );
}

/** The server's own address may be another than the reader's, so the link is made from where this page is. */
function linkOf(x: Share): string | undefined {
  if (x.token) return new URL(`share/${x.token}`, document.baseURI).toString();
  return x.url;
}

function Links({ items, onRevoke }: { items: Share[]; onRevoke: (id: string) => void }) {
  const t = useT();
  const lang = useLang();
  if (items.length === 0) return null;
  return (
    <section aria-label={t('share.links')}>
      <h2 className={s.h}>{t('share.links')}</h2>
      {items.map((x) => (
        <div key={x.id} className={s.item}>
          <span className="num">{t('share.until', { when: full(x.expires, lang) })}</span>
          {x.bodies === false && <Tag>{t('share.nobodies')}</Tag>}
          <span className="dim2 ellipsis">{x.author}</span>
          <span style={{ flex: 1 }} />
          {linkOf(x) && <Copy text={linkOf(x)!} label={t('copy.link')} />}
          <ActionIcon size={24} aria-label={t('share.revoke')} title={t('share.revoke')} onClick={() => onRevoke(x.id)}><IconTrash size={14} /></ActionIcon>
        </div>
      ))}
    </section>
  );
}
