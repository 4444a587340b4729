import { Button, Checkbox, Group, Modal, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { json } from '../api/client';
import { useT } from '../i18n';
import { ErrorNotice } from '../ui/Bits';
import type { Search } from './ViewsMenu';
import s from './Views.module.css';

/** Gives the search of a page a name. */
export function SaveView({ page, search, onClose }: { page: string; search: Search; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [shared, setShared] = useState(false);
  const make = useMutation({
    mutationFn: () => json('POST', '/views', { body: { name: name.trim(), page, search, shared } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['views'] });
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={t('views.save')} closeButtonProps={{ 'aria-label': t('close') }}>
      <form onSubmit={(e) => (e.preventDefault(), name.trim() !== '' && make.mutate())} className={s.form}>
        <TextInput label={t('c.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} maxLength={200} required data-autofocus />
        <code className="mono dim2" style={{ overflowWrap: 'anywhere' }}>{Object.entries(search).map(([k, v]) => `${k}=${v}`).join('  ') || t('views.plain')}</code>
        <Checkbox label={t('views.share')} checked={shared} onChange={(e) => setShared(e.currentTarget.checked)} />
        {make.isError && <ErrorNotice error={make.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" loading={make.isPending} disabled={name.trim() === ''}>{t('save')}</Button>
        </Group>
      </form>
    </Modal>
  );
}
