import { Button } from '@mantine/core';
import { IconArrowsDiff, IconTrash, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { meQuery } from '@/shared/api/queries';
import { ExportMenu } from '@/shared/views/ExportMenu';
import { useT } from '@/shared/i18n';
import { filterOf } from './rows';
import type { ListView } from './search';
import s from './Traces.module.css';

const EraseDialog = lazy(() => import('@/shared/erase/EraseDialog').then((m) => ({ default: m.EraseDialog })));

/** What can be done with the marked rows. */
export function Bulk({ ids, view, onClear }: { ids: ReadonlySet<string>; view: ListView; onClear: () => void }) {
  const t = useT();
  const go = useNavigate();
  const admin = useQuery(meQuery).data?.role === 'admin';
  const [erasing, setErasing] = useState(false);
  const [a, b] = [...ids].map((x) => (view === 'traces' ? x.split('.')[0]! : x.replace('.', '/')));
  return (
    <div className={s.bulk} role="toolbar" aria-label={t('select.actions')}>
      <strong className="num">{t('select.n', { n: ids.size })}</strong>
      <Button variant="default" leftSection={<IconArrowsDiff size={14} />} disabled={ids.size !== 2} title={ids.size === 2 ? undefined : t('select.two')} onClick={() => void go({ to: '/diff', search: { a, b } })}>
        {t('select.diff')}
      </Button>
      <ExportMenu scope={{ filter: filterOf(ids, view) }} view={view === 'traces' ? 'traces' : 'spans'} labelled />
      {admin && (
        <Button variant="default" leftSection={<IconTrash size={14} />} onClick={() => setErasing(true)}>
          {t('erase')}
        </Button>
      )}
      <span style={{ flex: 1 }} />
      <Button variant="subtle" leftSection={<IconX size={14} />} onClick={onClear}>
        {t('select.clear')}
      </Button>
      <Suspense>{erasing && <EraseDialog what={{ filter: filterOf(ids, 'traces') }} onClose={() => setErasing(false)} onDone={onClear} />}</Suspense>
    </div>
  );
}
