import { ActionIcon, Button, PasswordInput, Select, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useT } from '@/shared/i18n';
import s from './Alerts.module.css';
import type { ChannelDraft } from './draft';

const empty: ChannelDraft = { kind: 'webhook', url: '', to: '', secret: '', shown: '', signed: false };

/** Where notifications go. Stored addresses and secrets are never shown whole; leaving them empty keeps them. */
export function Channels({ items, onChange }: { items: ChannelDraft[]; onChange: (items: ChannelDraft[]) => void }) {
  const t = useT();
  const set = (i: number, x: Partial<ChannelDraft>) => onChange(items.map((c, j) => (j === i ? { ...c, ...x } : c)));
  return (
    <fieldset className={s.channels}>
      <legend className={s.label}>{t('alert.channels')}</legend>
      {items.map((c, i) => (
        <div key={i} className={s.line}>
          <Select aria-label={t('alert.channel.kind')} data={[{ value: 'webhook', label: 'Webhook' }, { value: 'slack', label: 'Slack' }, { value: 'email', label: t('f.email') }]} value={c.kind} onChange={(v) => v && set(i, { ...empty, kind: v as ChannelDraft['kind'] })} allowDeselect={false} w={110} />
          {c.kind === 'email' ? (
            <TextInput aria-label={t('alert.channel.to')} placeholder="oncall@example.com, …" value={c.to} onChange={(e) => set(i, { to: e.currentTarget.value })} style={{ flex: '1 1 200px' }} />
          ) : (
            <TextInput aria-label={t('alert.channel.url')} placeholder={c.shown || (c.kind === 'slack' ? 'https://hooks.slack.com/services/…' : 'https://example.com/hook')} value={c.url} onChange={(e) => set(i, { url: e.currentTarget.value })} style={{ flex: '2 1 200px' }} />
          )}
          {c.kind === 'webhook' && <PasswordInput size="xs" aria-label={t('alert.channel.secret')} placeholder={t(c.signed ? 'alert.channel.kept' : 'alert.channel.secret')} value={c.secret} onChange={(e) => set(i, { secret: e.currentTarget.value })} autoComplete="off" visibilityToggleButtonProps={{ 'aria-label': t('alert.channel.reveal') }} style={{ flex: '1 1 130px' }} />}
          <ActionIcon aria-label={t('alert.channel.remove')} onClick={() => onChange(items.filter((_, j) => j !== i))}><IconTrash size={15} /></ActionIcon>
        </div>
      ))}
      <div>
        <Button variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => onChange([...items, empty])} disabled={items.length >= 10}>{t('alert.channel.add')}</Button>
      </div>
    </fieldset>
  );
}
