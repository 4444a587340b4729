import { Button, Group, Modal, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { json } from '../api/client';
import type { KeyInfo } from '../api/types';
import { useT } from '../i18n';
import { Code } from '../ui/Code';
import { ErrorNotice } from '../ui/Bits';
import { Snippets } from '../snippets/Snippets';
import { changes, emptyDraft, type Draft } from './draft';
import { Fields } from './Fields';

/** Creates a key and shows its secret: this is the only time anyone sees it. */
export function KeyDialog({ onClose, onMade, withSnippets }: { onClose: () => void; onMade?: (secret: string) => void; withSnippets?: boolean }) {
  const t = useT();
  const client = useQueryClient();
  const [draft, setDraft] = useState<Draft>(emptyDraft);
  const make = useMutation({
    mutationFn: (d: Draft) => json<KeyInfo & { key: string }>('POST', '/keys', { body: changes(emptyDraft, d) }),
    onSuccess: (k) => {
      void client.invalidateQueries({ queryKey: ['keys'] });
      onMade?.(k.key);
    },
  });
  return (
    <Modal opened onClose={onClose} title={make.data ? t('key.made') : t('key.create')} size={make.data && withSnippets ? 'xl' : 'md'} closeButtonProps={{ 'aria-label': t('close') }}>
      {make.data ? (
        <Stack gap={12}>
          <div>{t('key.once')}</div>
          <Code text={make.data.key} title={make.data.alias || 'key'} />
          {withSnippets && <Snippets secret={make.data.key} />}
          <Group justify="flex-end">
            <Button onClick={onClose}>{t('done')}</Button>
          </Group>
        </Stack>
      ) : (
        <form
          onSubmit={(e) => {
            e.preventDefault();
            make.mutate(draft);
          }}
        >
          <Fields owner draft={draft} change={(d) => setDraft({ ...draft, ...d })} />
          {make.isError && <ErrorNotice error={make.error} />}
          <Group justify="flex-end" mt={16}>
            <Button variant="default" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button type="submit" loading={make.isPending}>
              {t('key.create')}
            </Button>
          </Group>
        </form>
      )}
    </Modal>
  );
}
