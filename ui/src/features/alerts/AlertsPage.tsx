import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { alertsQuery } from '@/shared/api/observe';
import { meQuery } from '@/shared/api/queries';
import { useT } from '@/shared/i18n';
import { ErrorNotice, Page, PageBar, Spacer, Waiting, bits } from '@/shared/ui/Bits';
import { AlertPanel } from './AlertPanel';
import { AlertTable } from './AlertTable';
import s from './Alerts.module.css';
import type { AlertsSearch } from './search';

const Editor = lazy(() => import('./Editor').then((m) => ({ default: m.Editor })));

const starters = [
  { measure: 'error_rate', text: 'alert.start.errors' },
  { measure: 'p95', text: 'alert.start.latency' },
  { measure: 'cost', text: 'alert.start.cost' },
  { measure: 'cache_hit_rate', text: 'alert.start.cache' },
] as const;

/** Rules that tell somebody when a figure crosses a line. */
export function AlertsPage() {
  const t = useT();
  const search = useSearch({ from: '/app/alerts' });
  const go = useNavigate({ from: '/alerts' });
  const q = useQuery(alertsQuery);
  const may = useQuery(meQuery).data?.role !== 'viewer';
  const set = (x: AlertsSearch) => void go({ search: x });
  const items = q.data?.items ?? [];
  const selected = items.find((a) => a.id === search.sel);
  const edited = items.find((a) => a.id === search.edit);
  return (
    <Page>
      <PageBar title={t('nav.alerts')}>
        <Spacer />
        {may && <Button leftSection={<IconPlus size={14} />} onClick={() => set({ new: '1' })}>{t('alert.new')}</Button>}
      </PageBar>
      {q.isError && <ErrorNotice error={q.error} retry={() => void q.refetch()} />}
      {q.isPending && <Waiting />}
      {q.isSuccess && items.length === 0 && (
        <div className={s.empty}>
          <p>{t('alert.empty')}</p>
          <div className={s.starters}>
            {starters.map((x) => (
              <Button key={x.measure} variant="default" disabled={!may} onClick={() => set({ new: '1', measure: x.measure })}>{t(x.text)}</Button>
            ))}
          </div>
        </div>
      )}
      {items.length > 0 && (
        <div className={s.split}>
          <div className={bits.scroll} tabIndex={0} role="region" aria-label={t('nav.alerts')}>
            <AlertTable items={items} sel={search.sel} onSel={(sel) => set({ sel })} onEdit={(edit) => set({ edit })} may={may} />
          </div>
          {selected && <AlertPanel alert={selected} may={may} onClose={() => set({})} onEdit={() => set({ edit: selected.id })} />}
        </div>
      )}
      <Suspense>
        {search.new === '1' && <Editor filter={search.q} measure={search.measure} onClose={() => set({})} />}
        {edited && <Editor alert={edited} onClose={() => set({ sel: edited.id })} />}
      </Suspense>
    </Page>
  );
}
