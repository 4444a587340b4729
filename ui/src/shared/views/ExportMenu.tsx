import { ActionIcon, Button, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { apiURL } from '../api/base';
import { projectPref, send, withQuery } from '../api/client';
import type { Scope } from '../api/queries';
import { useT, type Key } from '../i18n';

const formats = [
  { format: 'jsonl', bodies: 'true', label: 'export.jsonl' },
  { format: 'jsonl', bodies: 'false', label: 'export.jsonl.lean' },
  { format: 'parquet', bodies: 'false', label: 'export.parquet' },
  { format: 'csv', bodies: 'false', label: 'export.csv' },
] as const satisfies { format: string; bodies: string; label: Key }[];

/** Everything a filter selects, as a file. The browser streams it to disk; only another project than the default has to pass through memory. */
export function ExportMenu({ scope, view, labelled = false }: { scope: Scope; view: 'spans' | 'traces'; labelled?: boolean }) {
  const t = useT();
  const list = view === 'traces' ? formats.filter((f) => f.bodies === 'false') : formats;
  const path = (f: (typeof formats)[number]) => withQuery('/export', { view, filter: scope.filter, from: scope.from, to: scope.to, format: f.format, bodies: f.bodies });
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        {labelled ? (
          <Button variant="default" leftSection={<IconDownload size={14} />}>{t('export')}</Button>
        ) : (
          <ActionIcon aria-label={t('export')} title={t('export')}>
            <IconDownload size={16} />
          </ActionIcon>
        )}
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t(view === 'traces' ? 'export.traces' : 'export.spans')}</Menu.Label>
        {list.map((f) =>
          projectPref.get() ? (
            <Menu.Item key={f.label} onClick={() => void download(path(f), `weir-${view}.${f.format}`)}>{t(f.label)}</Menu.Item>
          ) : (
            <Menu.Item key={f.label} component="a" href={apiURL(path(f))} download>{t(f.label)}</Menu.Item>
          ),
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

async function download(path: string, name: string): Promise<void> {
  const blob = await (await send('GET', path)).blob();
  save(blob, name);
}

export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const a = document.createElement('a');
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
