import { ActionIcon, Button, Group, Modal, Switch } from '@mantine/core';
import { IconPencil, IconPlayerPlay, IconPlus, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { json } from '@/shared/api/client';
import { exportsQuery, type ExportSchedule } from '@/shared/api/observe';
import { meQuery } from '@/shared/api/queries';
import { ago, bytes, full, int } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { ErrorNotice, Page, PageBar, Spacer, Tag, Waiting, bits } from '@/shared/ui/Bits';
import { Code } from '@/shared/ui/Code';
import s from './Exports.module.css';

const Editor = lazy(() => import('./Editor').then((m) => ({ default: m.Editor })));

const read = `SELECT model, sum(cost_usd) FROM read_parquet('/exports/**/*.parquet') GROUP BY model;   -- DuckDB
pandas.read_parquet('/exports')                                                         # pandas
spark.read.parquet('/exports')                                                          # Spark`;

/** Schedules that write a project's spans as Parquet to a folder or a bucket. */
export function ExportsPage() {
  const t = useT();
  const q = useQuery(exportsQuery);
  const admin = useQuery(meQuery).data?.role === 'admin';
  const client = useQueryClient();
  const [edited, setEdited] = useState<ExportSchedule | 'new'>();
  const [doomed, setDoomed] = useState<ExportSchedule>();
  const act = useMutation({ mutationFn: (x: { method: string; path: string; body?: unknown }) => json(x.method, x.path, { body: x.body }), onSettled: () => client.invalidateQueries({ queryKey: ['exports'] }) });
  const items = q.data?.items ?? [];
  const path = (x: ExportSchedule) => `/exports/${encodeURIComponent(x.id)}`;
  return (
    <Page>
      <PageBar title={t('nav.exports')}>
        <Spacer />
        {admin && <Button leftSection={<IconPlus size={14} />} onClick={() => setEdited('new')}>{t('exports.new')}</Button>}
      </PageBar>
      {(q.isError || act.isError) && <ErrorNotice error={q.error ?? act.error} />}
      {q.isPending && <Waiting />}
      {q.isSuccess && (
        <div className={bits.scroll} tabIndex={0} role="region" aria-label={t('nav.exports')}>
          {items.length === 0 ? (
            <div className={s.empty}>
              <p>{t('exports.empty')}</p>
              <Code text={read} title={t('exports.read')} />
            </div>
          ) : (
            <ul className={s.list}>
              {items.map((x) => (
                <li key={x.id}>
                  <div className={s.head}>
                    <strong>{x.name}</strong> <Tag>{t(x.every === 'hourly' ? 'exports.hourly' : 'exports.daily')}</Tag> {x.bodies && <Tag>{t('exports.bodies.tag')}</Tag>}
                    <Spacer />
                    {admin && (
                      <>
                        <Switch aria-label={t('exports.enabled.of', { name: x.name })} checked={x.enabled} onChange={(e) => act.mutate({ method: 'PATCH', path: path(x), body: { enabled: e.currentTarget.checked } })} />
                        <ActionIcon aria-label={t('exports.run.of', { name: x.name })} title={t('exports.run')} onClick={() => act.mutate({ method: 'POST', path: `${path(x)}/run` })}><IconPlayerPlay size={15} /></ActionIcon>
                        <ActionIcon aria-label={t('exports.edit.of', { name: x.name })} title={t('edit')} onClick={() => setEdited(x)}><IconPencil size={15} /></ActionIcon>
                        <ActionIcon aria-label={t('exports.delete.of', { name: x.name })} title={t('delete')} onClick={() => setDoomed(x)}><IconTrash size={15} /></ActionIcon>
                      </>
                    )}
                  </div>
                  <div className="mono dim2" style={{ overflowWrap: 'anywhere' }}>{x.target.kind === 's3' ? `s3://${x.target.bucket}/${x.target.prefix}` : x.target.path} {x.filter && `· ${x.filter}`}</div>
                  <LastRun run={x.last_run} />
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
      <Suspense>{edited && <Editor of={edited === 'new' ? undefined : edited} onClose={() => setEdited(undefined)} />}</Suspense>
      {doomed && (
        <Modal opened onClose={() => setDoomed(undefined)} title={t('exports.delete.of', { name: doomed.name })} closeButtonProps={{ 'aria-label': t('close') }}>
          <p style={{ marginTop: 0 }}>{t('exports.delete.ask')}</p>
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setDoomed(undefined)}>{t('cancel')}</Button>
            <Button color="red" onClick={() => (act.mutate({ method: 'DELETE', path: path(doomed) }), setDoomed(undefined))}>{t('delete')}</Button>
          </Group>
        </Modal>
      )}
    </Page>
  );
}

function LastRun({ run: r }: { run: ExportSchedule['last_run'] }) {
  const t = useT();
  const lang = useLang();
  if (!r) return <div className="dim">{t('exports.never')}</div>;
  return (
    <div>
      <Tag tone={r.ok ? 'ok' : 'err'}>{t(r.ok ? 'status.ok' : 'status.error')}</Tag> <span title={full(r.time, lang)}>{ago(r.time, lang)}</span>{' '}
      <span className="num dim2">{t('rows.n', { n: r.rows, count: int(r.rows, lang) })} · {bytes(r.bytes)} · {t('exports.files', { n: r.files })}</span> {r.error && <span className="err">{r.error}</span>}
    </div>
  );
}
