import { Button, Group, Modal, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { json } from '../api/client';
import { erasureQuery, type Erasure } from '../api/observe';
import { useT } from '../i18n';
import { ErrorNotice } from '../ui/Bits';
import { Certificate, Counts } from './Certificate';
import s from './Erase.module.css';

/** One of them. */
export interface What {
  trace?: string;
  filter?: string;
  user?: string;
  session?: string;
}

/** Erases for good: first a dry run that counts, then the real one with its certificate. */
export function EraseDialog({ what, onClose, onDone }: { what: What; onClose: () => void; onDone?: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [sure, setSure] = useState('');
  const begin = useMutation({ mutationFn: (dry: boolean) => json<Erasure>('POST', '/erase', { body: { ...what, dry_run: dry, reason: dry ? undefined : reason.trim() } }) });
  const { mutate } = begin;
  useEffect(() => mutate(true), [mutate]);
  const id = begin.data?.job ?? '';
  const polled = useQuery({ ...erasureQuery(id), enabled: id !== '' && begin.data?.state === 'running' });
  const job = polled.data?.job === id ? polled.data : begin.data;
  const done = job && !job.dry_run && job.state === 'done';
  useEffect(() => {
    if (done) void client.invalidateQueries({ predicate: (q) => q.queryKey[0] !== 'me' });
  }, [done, client]);
  const close = () => (done && onDone?.(), onClose());
  const word = t('erase.word');
  return (
    <Modal opened onClose={close} title={t('erase.title')} size={560} closeButtonProps={{ 'aria-label': t('close') }}>
      <div className={s.form}>
        <code className="mono" style={{ overflowWrap: 'anywhere', maxHeight: 80, overflow: 'auto' }}>{Object.values(what).find(Boolean)}</code>
        {begin.isError && <ErrorNotice error={begin.error} />}
        {job?.state === 'running' && <div role="status">{t('erase.running')} {job.step}</div>}
        {job?.state === 'failed' && <ErrorNotice error={new Error(job.error)} />}
        {job?.dry_run && job.state === 'done' && (
          <>
            <Counts job={job} />
            <TextInput label={t('erase.reason')} description={t('erase.reason.hint')} value={reason} onChange={(e) => setReason(e.currentTarget.value)} maxLength={1000} data-autofocus />
            <TextInput label={t('erase.sure', { word })} value={sure} onChange={(e) => setSure(e.currentTarget.value)} />
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>{t('cancel')}</Button>
              <Button color="red" loading={begin.isPending} disabled={sure.trim() !== word || job.traces === 0} onClick={() => mutate(false)}>{t('erase.now', { n: job.traces })}</Button>
            </Group>
          </>
        )}
        {done && (
          <>
            {job.certificate && <Certificate job={job} />}
            <Group justify="flex-end"><Button onClick={close}>{t('done')}</Button></Group>
          </>
        )}
      </div>
    </Modal>
  );
}
