import { Button, Group, Modal, PasswordInput, SegmentedControl, Switch, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { json } from '@/shared/api/client';
import type { ExportSchedule } from '@/shared/api/observe';
import { FilterBar } from '@/shared/filter/FilterBar';
import { useT } from '@/shared/i18n';
import { ErrorNotice } from '@/shared/ui/Bits';
import s from './Exports.module.css';

const blank = { kind: 'disk', path: '', bucket: '', prefix: '', region: '', endpoint: '', path_style: false, access_key_id: '', has_secret: false };

/** Makes or changes a schedule. A stored secret is kept unless another is typed. */
export function Editor({ of, onClose }: { of?: ExportSchedule; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const [d, setDraft] = useState({ name: of?.name ?? '', filter: of?.filter ?? '', every: of?.every ?? 'daily', bodies: of?.bodies ?? false });
  const [to, setTarget] = useState<typeof blank>(of?.target ?? blank);
  const [secret, setSecret] = useState('');
  const set = (x: Partial<typeof d>) => setDraft({ ...d, ...x });
  const at = (x: Partial<typeof blank>) => setTarget({ ...to, ...x });
  const save = useMutation({
    mutationFn: () => json(of ? 'PATCH' : 'POST', of ? `/exports/${encodeURIComponent(of.id)}` : '/exports', { body: { ...d, name: d.name.trim(), format: 'parquet', target: { ...to, has_secret: undefined, secret: secret || undefined } } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['exports'] });
      onClose();
    },
  });
  const s3 = to.kind === 's3';
  const ready = d.name.trim() !== '' && (s3 ? to.bucket.trim() !== '' : to.path.trim() !== '');
  return (
    <Modal opened onClose={onClose} title={t(of ? 'exports.edit' : 'exports.new')} size={560} closeButtonProps={{ 'aria-label': t('close') }}>
      <form className={s.form} onSubmit={(e) => (e.preventDefault(), ready && save.mutate())}>
        <TextInput label={t('c.name')} value={d.name} onChange={(e) => set({ name: e.currentTarget.value })} required data-autofocus />
        <div>
          <div className={s.label}>{t('exports.what')}</div>
          <FilterBar value={d.filter} onApply={(filter) => set({ filter })} scope={{}} error={save.error} />
        </div>
        <Group gap={16}>
          <SegmentedControl aria-label={t('exports.every')} value={d.every} onChange={(v) => set({ every: v as 'daily' | 'hourly' })} data={[{ value: 'daily', label: t('exports.daily') }, { value: 'hourly', label: t('exports.hourly') }]} />
          <SegmentedControl aria-label={t('exports.target')} value={to.kind} onChange={(kind) => at({ kind })} data={[{ value: 'disk', label: t('exports.disk') }, { value: 's3', label: 'S3' }]} />
        </Group>
        {s3 ? (
          <div className={s.grid}>
            <TextInput label={t('exports.bucket')} value={to.bucket} onChange={(e) => at({ bucket: e.currentTarget.value })} required />
            <TextInput label={t('exports.prefix')} value={to.prefix} onChange={(e) => at({ prefix: e.currentTarget.value })} />
            <TextInput label={t('exports.region')} value={to.region} onChange={(e) => at({ region: e.currentTarget.value })} placeholder="eu-central-1" />
            <TextInput label={t('exports.endpoint')} value={to.endpoint} onChange={(e) => at({ endpoint: e.currentTarget.value })} placeholder="https://s3.example.com" />
            <TextInput label={t('exports.keyid')} value={to.access_key_id} onChange={(e) => at({ access_key_id: e.currentTarget.value })} autoComplete="off" />
            <PasswordInput size="xs" label={t('exports.secret')} placeholder={to.has_secret ? t('alert.channel.kept') : ''} value={secret} onChange={(e) => setSecret(e.currentTarget.value)} autoComplete="off" visibilityToggleButtonProps={{ 'aria-label': t('alert.channel.reveal') }} />
            <Switch label={t('exports.pathstyle')} checked={to.path_style} onChange={(e) => at({ path_style: e.currentTarget.checked })} />
          </div>
        ) : (
          <TextInput label={t('exports.folder')} description={t('exports.folder.hint')} value={to.path} onChange={(e) => at({ path: e.currentTarget.value })} placeholder="/exports" required />
        )}
        <Switch label={t('exports.bodies')} checked={d.bodies} onChange={(e) => set({ bodies: e.currentTarget.checked })} />
        {save.isError && <ErrorNotice error={save.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" loading={save.isPending} disabled={!ready}>{t('save')}</Button>
        </Group>
      </form>
    </Modal>
  );
}
