import { Button, Group, Modal, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconPlus, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useRef, useState } from 'react';
import { json } from '@/shared/api/client';
import { keysQuery } from '@/shared/api/queries';
import type { KeyInfo } from '@/shared/api/types';
import { useT } from '@/shared/i18n';
import { useHotkeys } from '@/shared/keys/hotkeys';
import { EmptyPage } from '@/shared/snippets/EmptyPage';
import { ErrorNotice, Page, PageBar, Spacer, Waiting, bits } from '@/shared/ui/Bits';
import { KeyTable, type Act } from './KeyTable';

type Asked = Exclude<Act, 'edit'>;

const EditKey = lazy(() => import('./EditKey').then((m) => ({ default: m.EditKey })));
const KeyDialog = lazy(() => import('@/shared/keydialog/KeyDialog').then((m) => ({ default: m.KeyDialog })));

export function KeysPage() {
  const t = useT();
  const search = useSearch({ from: '/app/keys' });
  const go = useNavigate({ from: '/keys' });
  const [text, setText] = useState('');
  const [needle] = useDebouncedValue(text, 200);
  const [confirm, setConfirm] = useState<{ key: KeyInfo; act: Asked }>();
  const input = useRef<HTMLInputElement>(null);
  const q = useInfiniteQuery(keysQuery(needle));
  const rows = q.data?.pages.flatMap((p) => p.items) ?? [];
  const edit = (id?: string) => void go({ search: { edit: id } });
  const open = (on: boolean) => void go({ search: { new: on ? '1' : undefined } });
  useHotkeys({ '/': () => input.current?.focus(), n: () => open(true) });
  return (
    <Page>
      <PageBar title={t('nav.keys')}>
        <TextInput ref={input} aria-label={t('keys.search')} placeholder={t('keys.search')} leftSection={<IconSearch size={14} />} value={text} onChange={(e) => setText(e.currentTarget.value)} w={260} />
        <Spacer />
        <Button leftSection={<IconPlus size={14} />} onClick={() => open(true)}>
          {t('key.create')}
        </Button>
      </PageBar>
      {q.isError && <ErrorNotice error={q.error} retry={() => void q.refetch()} />}
      {q.isPending ? (
        <Waiting />
      ) : q.isError ? null : rows.length === 0 && needle === '' ? (
        <EmptyPage text={t('keys.empty')} />
      ) : (
        <div className={bits.scroll} tabIndex={0} role="region" aria-label={t('nav.keys')}>
          <KeyTable rows={rows} onAct={(key, act) => (act === 'edit' ? edit(key.id) : setConfirm({ key, act }))} />
          {q.hasNextPage && (
            <Button variant="subtle" m={8} loading={q.isFetchingNextPage} onClick={() => void q.fetchNextPage()}>
              {t('more')}
            </Button>
          )}
        </div>
      )}
      <Suspense>{search.new === '1' && <KeyDialog withSnippets onClose={() => open(false)} />}</Suspense>
      <Suspense>{search.edit && <EditKey id={search.edit} onClose={() => edit()} />}</Suspense>
      {confirm && <Confirm info={confirm.key} act={confirm.act} onClose={() => setConfirm(undefined)} />}
    </Page>
  );
}

/** Every act on a key that others may be using is asked twice. */
function Confirm({ info, act, onClose }: { info: KeyInfo; act: Asked; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const path = `/keys/${encodeURIComponent(info.id)}`;
  const run = useMutation({
    mutationFn: () => (act === 'delete' ? json('DELETE', path) : json('POST', `${path}/${act}`)),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['keys'] });
      onClose();
    },
  });
  const name = info.alias || info.name || info.id;
  const texts = { block: t('key.block.ask', { name }), unblock: t('key.unblock.ask', { name }), delete: t('key.delete.ask', { name }) };
  const verbs = { block: t('key.block'), unblock: t('key.unblock'), delete: t('key.delete') };
  return (
    <Modal opened onClose={onClose} title={verbs[act]} closeButtonProps={{ 'aria-label': t('close') }}>
      <p style={{ marginTop: 0 }}>{texts[act]}</p>
      {run.isError && <ErrorNotice error={run.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('cancel')}
        </Button>
        <Button color={act === 'unblock' ? undefined : 'red'} loading={run.isPending} onClick={() => run.mutate()}>
          {verbs[act]}
        </Button>
      </Group>
    </Modal>
  );
}
