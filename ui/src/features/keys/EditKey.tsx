import { Button, Group, Modal } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { json } from '@/shared/api/client';
import { keyQuery } from '@/shared/api/queries';
import type { KeyInfo } from '@/shared/api/types';
import { useT } from '@/shared/i18n';
import { changes, draftOf, type Draft } from '@/shared/keydialog/draft';
import { Fields } from '@/shared/keydialog/Fields';
import { ErrorNotice, Waiting } from '@/shared/ui/Bits';

/** Changes a key that exists. Its newest state is fetched first, so that nobody's change is undone by an old list. */
export function EditKey({ id, onClose }: { id: string; onClose: () => void }) {
  const t = useT();
  const q = useQuery(keyQuery(id));
  const name = q.data?.alias || q.data?.name || id;
  return (
    <Modal opened onClose={onClose} title={t('key.edit.title', { name })} closeButtonProps={{ 'aria-label': t('close') }}>
      {q.isError ? <ErrorNotice error={q.error} /> : !q.data ? <Waiting /> : q.data.origin === 'file' ? <p>{t('key.file.hint')}</p> : <Form info={q.data} onClose={onClose} />}
    </Modal>
  );
}

function Form({ info, onClose }: { info: KeyInfo; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const [before] = useState<Draft>(() => draftOf(info));
  const [draft, setDraft] = useState<Draft>(before);
  const changed = changes(before, draft);
  const save = useMutation({
    mutationFn: () => json<KeyInfo>('PATCH', `/keys/${encodeURIComponent(info.id)}`, { body: changed }),
    onSuccess: () => {
      onClose();
      void client.invalidateQueries({ queryKey: ['keys'] });
    },
  });
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        save.mutate();
      }}
    >
      <Fields draft={draft} change={(d) => setDraft({ ...draft, ...d })} />
      {save.isError && <ErrorNotice error={save.error} />}
      <Group justify="flex-end" mt={16}>
        <Button variant="default" onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button type="submit" loading={save.isPending} disabled={Object.keys(changed).length === 0}>
          {t('key.save')}
        </Button>
      </Group>
    </form>
  );
}
