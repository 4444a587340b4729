import { Button, Group, Modal, NumberInput, Select, Stack, TagsInput, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { json } from '../api/client';
import { modelsQuery, teamsQuery } from '../api/queries';
import type { KeyInfo } from '../api/types';
import { useT } from '../i18n';
import { Code } from '../ui/Code';
import { ErrorNotice } from '../ui/Bits';
import { Snippets } from '../snippets/Snippets';
import { emptyDraft, periodNames, periods, toNewKey, type Draft } from './draft';

/** Creates a key and shows its secret: this is the only time anyone sees it. */
export function KeyDialog({ onClose, onMade, withSnippets }: { onClose: () => void; onMade?: (secret: string) => void; withSnippets?: boolean }) {
  const t = useT();
  const client = useQueryClient();
  const [draft, setDraft] = useState<Draft>(emptyDraft);
  const make = useMutation({
    mutationFn: (d: Draft) => json<KeyInfo & { key: string }>('POST', '/keys', { body: toNewKey(d) }),
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
          <Fields draft={draft} change={(d) => setDraft({ ...draft, ...d })} />
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

function Fields({ draft, change }: { draft: Draft; change: (d: Partial<Draft>) => void }) {
  const t = useT();
  const models = useQuery(modelsQuery);
  const teams = useQuery(teamsQuery);
  return (
    <Stack gap={10}>
      <TextInput label={t('key.alias')} description={t('key.alias.hint')} value={draft.alias} onChange={(e) => change({ alias: e.currentTarget.value })} data-autofocus />
      <Group grow gap={10}>
        <TextInput label={t('f.user')} value={draft.user} onChange={(e) => change({ user: e.currentTarget.value })} />
        <TextInput label={t('f.email')} type="email" value={draft.email} onChange={(e) => change({ email: e.currentTarget.value })} />
      </Group>
      <Select label={t('f.team')} clearable value={draft.team || null} data={(teams.data?.items ?? []).map((x) => ({ value: x.id, label: x.alias || x.id }))} onChange={(v) => change({ team: v ?? '' })} />
      <TagsInput label={t('key.models')} description={t('key.models.hint')} value={draft.models} data={(models.data?.items ?? []).map((m) => m.name)} onChange={(v) => change({ models: v })} />
      <TextInput type="date" label={t('key.expires')} description={t('key.expires.hint')} value={draft.expires} onChange={(e) => change({ expires: e.currentTarget.value })} />
      <Group grow gap={10} align="end">
        <NumberInput label={t('key.budget')} prefix="$" min={0} decimalScale={4} value={draft.budget} onChange={(v) => change({ budget: typeof v === 'number' ? v : v === '' ? '' : Number(v) })} />
        <Select label={t('key.period')} allowDeselect={false} value={draft.period || 'never'} data={periods.map((p) => ({ value: p || 'never', label: t(periodNames[p]!) }))} onChange={(v) => change({ period: v === 'never' ? '' : (v ?? '30d') })} />
      </Group>
    </Stack>
  );
}
