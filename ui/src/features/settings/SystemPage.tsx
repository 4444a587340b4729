import { Select } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { json } from '@/shared/api/client';
import { systemQuery } from '@/shared/api/queries';
import type { System } from '@/shared/api/types';
import { bytes, duration, int, percent } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { Dot, ErrorNotice, KV, Page, PageBar, Tag, Waiting, bits } from '@/shared/ui/Bits';
import s from './System.module.css';

export function SystemPage() {
  const t = useT();
  const q = useQuery(systemQuery);
  const d = q.data;
  return (
    <Page>
      <PageBar title={t('nav.system')}>
        {d && (d.ready.ready ? <Tag tone={d.ready.degraded ? 'warn' : 'ok'}>{t(d.ready.degraded ? 'sys.degraded' : 'sys.ready')}</Tag> : <Tag tone="err">{t('sys.notready')}</Tag>)}
        {d && <span className="dim2 num">Weir {d.version} · {t('sys.uptime', { v: duration(d.uptime_s * 1000) })}</span>}
      </PageBar>
      {q.isError && <ErrorNotice error={q.error} retry={() => void q.refetch()} />}
      {q.isPending && <Waiting />}
      {d && (
        <div className={bits.scroll} tabIndex={0} role="region" aria-label={t('nav.system')}>
          <div className={s.grid}>
            <Checks d={d} />
            <Intake d={d} />
            <Recording d={d} />
            <Stores d={d} />
            <Failures d={d} />
            <Levels d={d} />
          </div>
        </div>
      )}
    </Page>
  );
}

function Checks({ d }: { d: System }) {
  const t = useT();
  return (
    <section>
      <h2>{t('sys.checks')}</h2>
      <table className={s.table}>
        <tbody>
          {d.ready.checks.map((c) => (
            <tr key={c.name}>
              <td><Dot color={c.ok ? 'var(--w-ok)' : 'var(--w-err)'} /> <span className="sr">{t(c.ok ? 'status.ok' : 'status.error')}</span> {c.name}</td>
              <td className={c.ok ? 'dim2' : 'err'}>{c.detail}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Meter({ share, label }: { share: number; label: string }) {
  return (
    <div className={s.meter} role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}>
      <span style={{ width: `${Math.min(1, share) * 100}%`, background: share > 0.9 ? 'var(--w-err)' : undefined }} />
    </div>
  );
}

function Recording({ d }: { d: System }) {
  const t = useT();
  const lang = useLang();
  return (
    <section>
      <h2>{t('sys.recording')}</h2>
      <KV
        rows={[
          [t('sys.queue'), d.queue && <span className="num">{int(d.queue.depth, lang)} / {int(d.queue.capacity, lang)}</span>],
          [t('sys.lag'), d.index && <span className="num">{t('sys.lag.n', { n: int(d.index.lag, lang) })}</span>],
          [t('sys.position'), d.index && <span className="num">{int(d.index.position, lang)} / {int(d.index.committed, lang)}</span>],
          [t('sys.rows'), d.index?.rows !== undefined && <span className="num">{int(d.index.rows, lang)}</span>],
          [t('sys.texts'), d.fulltext && <Texts of={d.fulltext} />],
          [t('sys.index'), d.index?.rebuilding ? <Tag tone="warn">{t('sys.rebuilding')}</Tag> : d.index?.error ? <span className="err">{d.index.error}</span> : undefined],
        ]}
      />
      {d.queue && d.queue.capacity > 0 && <Meter share={d.queue.depth / d.queue.capacity} label={t('sys.queue')} />}
    </section>
  );
}

function Texts({ of }: { of: NonNullable<System['fulltext']> }) {
  const t = useT();
  const lang = useLang();
  if (of.error) return <span className="err">{of.error}</span>;
  if (!of.ready) return <Tag tone="warn">{t('sys.texts.building')}</Tag>;
  return <span className="num">{t('sys.texts.lag', { n: int(of.lag, lang), held: bytes(of.held) })}</span>;
}

/** What comes in, and what was sent away. */
function Intake({ d }: { d: System }) {
  const t = useT();
  const lang = useLang();
  const x = d.ingest;
  if (!x) return null;
  const n = (v: number, bad = false) => <span className={bad && v > 0 ? 'num err' : 'num'}>{int(v, lang)}</span>;
  return (
    <section>
      <h2>{t('sys.intake')}</h2>
      <KV
        rows={[
          [t('sys.rate'), <span className="num">{t('sys.rate.n', { n: x.spans_per_s < 10 ? x.spans_per_s.toFixed(1) : int(x.spans_per_s, lang) })}</span>],
          [t('sys.calls'), n(x.calls)],
          [t('sys.accepted'), n(x.accepted)],
          [t('sys.rejected'), n(x.rejected, true)],
          [t('sys.refused'), n(x.refused, true)],
          [t('sys.inflight'), <span className="num">{int(x.in_flight, lang)} / {int(x.capacity, lang)}</span>],
          [t('sys.telemetry'), d.telemetry && (d.telemetry.exporting ? <span className="num">{t('sys.telemetry.n', { n: int(d.telemetry.sent, lang) })} {d.telemetry.failed > 0 && <span className="err">{t('sys.telemetry.failed', { n: d.telemetry.failed })}</span>}</span> : <span className="dim2">{t('sys.telemetry.off')}</span>)],
        ]}
      />
      {x.capacity > 0 && <Meter share={x.in_flight / x.capacity} label={t('sys.inflight')} />}
    </section>
  );
}

function Failures({ d }: { d: System }) {
  const t = useT();
  const lang = useLang();
  const rows = Object.entries(d.errors ?? {}).toSorted((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  if (rows.length === 0) return null;
  return (
    <section>
      <h2>{t('sys.errors')}</h2>
      <table className={s.table}>
        <tbody>
          {rows.map(([name, n]) => (
            <tr key={name}>
              <td>{name}</td>
              <td className={`${s.r} ${n > 0 ? 'err' : 'dim'}`}>{int(n, lang)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Stores({ d }: { d: System }) {
  const t = useT();
  return (
    <section>
      <h2>{t('sys.stores')}</h2>
      <table className={s.table}>
        <tbody>
          {(d.stores ?? []).map((x) => (
            <tr key={x.name}>
              <td>{x.name}</td>
              <td className={s.r}>{bytes(x.bytes)}</td>
            </tr>
          ))}
          {d.disk && d.disk.total > 0 && (
            <tr>
              <td>{t('sys.disk')}</td>
              <td className={s.r}>{t('sys.disk.free', { free: bytes(d.disk.free), total: bytes(d.disk.total), p: percent(d.disk.free / d.disk.total) })}</td>
            </tr>
          )}
        </tbody>
      </table>
      {d.disk && d.disk.total > 0 && <Meter share={1 - d.disk.free / d.disk.total} label={t('sys.disk')} />}
    </section>
  );
}

const levels = ['debug', 'info', 'warn', 'error'];

function Levels({ d }: { d: System }) {
  const t = useT();
  const client = useQueryClient();
  const set = useMutation({
    mutationFn: (x: Record<string, string>) => json('PATCH', '/system/log-levels', { body: x }),
    onSettled: () => client.invalidateQueries({ queryKey: systemQuery.queryKey }),
  });
  return (
    <section>
      <h2>{t('sys.levels')}</h2>
      {set.isError && <ErrorNotice error={set.error} />}
      <table className={s.table}>
        <tbody>
          {Object.entries(d.log_levels ?? {}).toSorted().map(([name, level]) => (
            <tr key={name}>
              <td>{name}</td>
              <td className={s.r}>
                <Select aria-label={t('sys.level.of', { name })} w={110} ml="auto" data={levels.includes(level) ? levels : [...levels, level]} value={level} allowDeselect={false} onChange={(v) => v && set.mutate({ [name]: v })} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
