import { Button, Menu, TextInput } from '@mantine/core';
import { IconClock } from '@tabler/icons-react';
import { useState } from 'react';
import { when } from '../format/format';
import { useLang, useT } from '../i18n';
import { fixed, isFixed, presets, type Range } from '../time/range';
import { useUsual } from '../time/useRange';

const local = (iso?: string) => {
  if (!iso) return '';
  const d = new Date(iso);
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

export function RangePicker({ value, onChange }: { value: Range; onChange: (r: Range) => void }) {
  const t = useT();
  const lang = useLang();
  const usual = useUsual();
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const fixedNow = isFixed(value);
  const label = fixedNow ? `${when(value.from!, lang)} – ${when(value.to!, lang)}` : t('range.last', { r: value.r ?? usual });
  const valid = from !== '' && to !== '' && from < to;
  return (
    <Menu position="bottom-end" onOpen={() => (setFrom(local(value.from)), setTo(local(value.to)))}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconClock size={14} />} aria-label={`${t('range.label')}: ${label}`} style={{ flex: 'none' }}>
          {label}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {presets.map((r) => (
          <Menu.Item key={r} onClick={() => onChange({ r })} fw={!fixedNow && (value.r ?? usual) === r ? 600 : undefined}>
            {t('range.last', { r })}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <form
          style={{ padding: 8, display: 'grid', gap: 6 }}
          onSubmit={(e) => {
            e.preventDefault();
            if (valid) onChange(fixed(new Date(from).getTime(), new Date(to).getTime()));
          }}
        >
          <TextInput type="datetime-local" label={t('range.from')} value={from} onChange={(e) => setFrom(e.currentTarget.value)} />
          <TextInput type="datetime-local" label={t('range.to')} value={to} onChange={(e) => setTo(e.currentTarget.value)} />
          <Button type="submit" disabled={!valid}>
            {t('apply')}
          </Button>
        </form>
      </Menu.Dropdown>
    </Menu>
  );
}
