import { ActionIcon, Menu, UnstyledButton } from '@mantine/core';
import { IconBookmark, IconTrash, IconUsers } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { json } from '../api/client';
import { viewsQuery, type View } from '../api/observe';
import { useT } from '../i18n';
import { ErrorNotice } from '../ui/Bits';
import s from './Views.module.css';

const SaveView = lazy(() => import('./SaveView').then((m) => ({ default: m.SaveView })));

export type Search = Record<string, string | undefined>;

const transient = new Set(['sel', 'open']); // where the reader stands, not what is looked at

const kept = (search: object): Search => Object.fromEntries(Object.entries(search).filter(([k, v]) => v !== undefined && !transient.has(k)));

const same = (a: Search, b: Search) => {
  const [x, y] = [Object.entries(a), Object.entries(b)];
  return x.length === y.length && x.every(([k, v]) => b[k] === v);
};

/** Saved views of a page: its search under a name, for oneself or for everyone in the project. */
export function ViewsMenu({ page, search, onOpen }: { page: string; search: object; onOpen: (search: Search) => void }) {
  const t = useT();
  const client = useQueryClient();
  const [asked, setAsked] = useState(false);
  const [saving, setSaving] = useState(false);
  const q = useQuery({ ...viewsQuery(page), enabled: asked, retry: false });
  const now = kept(search);
  const again = () => client.invalidateQueries({ queryKey: ['views'] });
  const change = useMutation({ mutationFn: (v: View) => json('PATCH', `/views/${v.id}`, { body: { shared: !v.shared } }), onSettled: again });
  const remove = useMutation({ mutationFn: (v: View) => json('DELETE', `/views/${v.id}`), onSettled: again });
  const items = q.data?.items ?? [];
  return (
    <>
      <Menu position="bottom-end" onOpen={() => setAsked(true)}>
        <Menu.Target>
          <ActionIcon aria-label={t('views')} title={t('views')}>
            <IconBookmark size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown miw={260}>
          <Menu.Label>{t('views')}</Menu.Label>
          {items.map((v) => (
            <div key={v.id} className={s.row}>
              <Menu.Item fw={same(v.search as Search, now) ? 600 : undefined} onClick={() => onOpen(v.search as Search)} rightSection={v.shared && !v.mine ? <span className="dim">{v.owner}</span> : undefined}>
                {v.name}
              </Menu.Item>
              {v.mine && (
                <>
                  <UnstyledButton className={s.act} data-on={v.shared || undefined} aria-pressed={v.shared} aria-label={t('views.share.of', { name: v.name })} title={t(v.shared ? 'views.shared' : 'views.share')} onClick={() => change.mutate(v)}>
                    <IconUsers size={14} />
                  </UnstyledButton>
                  <UnstyledButton className={s.act} aria-label={t('views.delete', { name: v.name })} title={t('delete')} onClick={() => remove.mutate(v)}>
                    <IconTrash size={14} />
                  </UnstyledButton>
                </>
              )}
            </div>
          ))}
          {q.isSuccess && items.length === 0 && <div className={s.none}>{t('views.none')}</div>}
          {(change.isError || remove.isError || q.isError) && <ErrorNotice error={change.error ?? remove.error ?? q.error} />}
          <Menu.Divider />
          <Menu.Item onClick={() => setSaving(true)}>{t('views.save')}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Suspense>{saving && <SaveView page={page} search={now} onClose={() => setSaving(false)} />}</Suspense>
    </>
  );
}
