import { Group, NumberInput, Select, Stack, TagsInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { modelsQuery, teamsQuery } from '../api/queries';
import { useT } from '../i18n';
import { periodNames, periods, type Draft } from './draft';

const amount = (v: string | number) => (v === '' ? '' : Number(v));

/** What of a key can be set; `owner` adds whose it is, which is fixed once it is made. */
export function Fields({ draft, change, owner }: { draft: Draft; change: (d: Partial<Draft>) => void; owner?: boolean }) {
  const t = useT();
  const models = useQuery(modelsQuery);
  const offered = (periods as readonly string[]).includes(draft.period) ? periods : [...periods, draft.period];
  return (
    <Stack gap={10}>
      <TextInput label={t('key.alias')} description={t('key.alias.hint')} value={draft.alias} onChange={(e) => change({ alias: e.currentTarget.value })} data-autofocus />
      {owner && <Owner draft={draft} change={change} />}
      <TagsInput label={t('key.models')} description={t('key.models.hint')} value={draft.models} data={(models.data?.items ?? []).map((m) => m.name)} onChange={(v) => change({ models: v })} />
      <TagsInput label={t('f.tag')} description={t('key.tags.hint')} value={draft.tags} onChange={(v) => change({ tags: v })} />
      <TextInput type="date" label={t('key.expires')} description={t('key.expires.hint')} value={draft.expires} onChange={(e) => change({ expires: e.currentTarget.value })} />
      <Group grow gap={10} align="end">
        <NumberInput label={t('key.budget')} prefix="$" min={0} decimalScale={4} value={draft.budget} onChange={(v) => change({ budget: amount(v) })} />
        <Select label={t('key.period')} allowDeselect={false} value={draft.period || 'never'} data={offered.map((p) => ({ value: p || 'never', label: periodNames[p] ? t(periodNames[p]) : p }))} onChange={(v) => change({ period: v === 'never' ? '' : (v ?? '30d') })} />
      </Group>
      <Group grow gap={10} align="end">
        <NumberInput label={t('key.rpm')} description={t('key.unlimited')} min={0} allowDecimal={false} thousandSeparator value={draft.rpm} onChange={(v) => change({ rpm: amount(v) })} />
        <NumberInput label={t('key.tpm')} description={t('key.unlimited')} min={0} allowDecimal={false} thousandSeparator value={draft.tpm} onChange={(v) => change({ tpm: amount(v) })} />
      </Group>
    </Stack>
  );
}

function Owner({ draft, change }: { draft: Draft; change: (d: Partial<Draft>) => void }) {
  const t = useT();
  const teams = useQuery(teamsQuery);
  return (
    <>
      <Group grow gap={10}>
        <TextInput label={t('f.user')} value={draft.user} onChange={(e) => change({ user: e.currentTarget.value })} />
        <TextInput label={t('f.email')} type="email" value={draft.email} onChange={(e) => change({ email: e.currentTarget.value })} />
      </Group>
      <Select label={t('f.team')} clearable value={draft.team || null} data={(teams.data?.items ?? []).map((x) => ({ value: x.id, label: x.alias || x.id }))} onChange={(v) => change({ team: v ?? '' })} />
    </>
  );
}
