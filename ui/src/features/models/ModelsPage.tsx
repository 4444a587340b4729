import { useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { modelsQuery } from '@/shared/api/queries';
import type { Deployment, Model } from '@/shared/api/types';
import { compact, duration, int, rate } from '@/shared/format/format';
import { useLang, useT, type Key } from '@/shared/i18n';
import { EmptyPage } from '@/shared/snippets/EmptyPage';
import { Dot, ErrorNotice, Page, PageBar, Spacer, Tag, Waiting, bits } from '@/shared/ui/Bits';
import s from './Models.module.css';
import { TryBox } from './TryBox';

export function ModelsPage() {
  const t = useT();
  const q = useQuery({ ...modelsQuery, refetchInterval: 15_000 });
  const [model, setModel] = useState('');
  const items = q.data?.items ?? [];
  return (
    <Page>
      <PageBar title={t('nav.models')}>
        <Spacer />
        <span className="dim2">{t('models.prices')}</span>
      </PageBar>
      {q.isError && <ErrorNotice error={q.error} retry={() => void q.refetch()} />}
      {q.isPending ? (
        <Waiting />
      ) : q.isError ? null : items.length === 0 ? (
        <EmptyPage text={t('models.empty')}><p>{t('models.empty.how')}</p></EmptyPage>
      ) : (
        <div className={s.split}>
          <div className={bits.scroll} tabIndex={0} role="region" aria-label={t('nav.models')}>
            <Catalog items={items} onTry={setModel} />
          </div>
          <TryBox models={items} model={model} onModel={setModel} />
        </div>
      )}
    </Page>
  );
}

function Catalog({ items, onTry }: { items: Model[]; onTry: (m: string) => void }) {
  const t = useT();
  return (
    <table className={s.table}>
      <thead>
        <tr>
          <th>{t('f.model')}</th>
          <th className={`${s.r} ${s.wide}`}>{t('models.context')}</th>
          <th className={s.r}>{t('models.in')}</th>
          <th className={s.r}>{t('models.out')}</th>
          <th className={`${s.r} ${s.wide}`}>{t('tok.read')}</th>
          <th className={`${s.r} ${s.wide}`}>{t('tok.write')}</th>
          <th className={s.wide}>{t('models.abilities')}</th>
        </tr>
      </thead>
      <tbody>
        {items.map((m) => (
          <Fragment key={m.name}>
            <ModelRow m={m} onTry={onTry} />
            {(m.deployments ?? []).map((d) => (
              <DeploymentRow key={d.id} d={d} />
            ))}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

function ModelRow({ m, onTry }: { m: Model; onTry: (m: string) => void }) {
  const t = useT();
  const lang = useLang();
  const p = m.prices;
  const abilities = Object.entries(m.abilities ?? {}).filter(([, on]) => on).map(([a]) => a);
  return (
    <tr data-model>
      <td>
        {m.pattern ? <strong>{m.name}</strong> : <button type="button" className={bits.jlink} onClick={() => onTry(m.name)} title={t('try.title')}><strong>{m.name}</strong></button>}{' '}
        {m.pattern && <Tag title={t('models.pattern.hint')}>{t('models.pattern')}</Tag>} {m.origin === 'file' && <Tag>{t('key.file')}</Tag>}
      </td>
      <td className={`${s.r} ${s.wide}`}>{m.max_input ? `${compact(m.max_input)} / ${compact(m.max_output)}` : ''}</td>
      <td className={s.r}>{p ? rate(p.input_per_mtok, lang) : ''}</td>
      <td className={s.r}>{p ? rate(p.output_per_mtok, lang) : ''}</td>
      <td className={`${s.r} ${s.wide}`}>{p?.cache_read_per_mtok ? rate(p.cache_read_per_mtok, lang) : ''}</td>
      <td className={`${s.r} ${s.wide}`}>{p?.cache_write_per_mtok ? rate(p.cache_write_per_mtok, lang) : ''}</td>
      <td className={s.wide}><div className={s.abilities}>{abilities.map((a) => <Tag key={a}>{a}</Tag>)}</div></td>
    </tr>
  );
}

const health: Record<string, { color: string; key: Key }> = {
  ok: { color: 'var(--w-ok)', key: 'health.ok' },
  failing: { color: 'var(--w-err)', key: 'health.failing' },
  cooldown: { color: 'var(--w-warn)', key: 'health.cooldown' },
  unknown: { color: 'var(--w-line-input)', key: 'health.unknown' },
};

function DeploymentRow({ d }: { d: Deployment }) {
  const t = useT();
  const lang = useLang();
  const h = health[d.health] ?? health.unknown!;
  return (
    <tr data-dep>
      <td colSpan={7}>
        <div className={s.dep}>
          <Dot color={h.color} />
          <span>{t(h.key)}</span>
          <span>{d.provider}</span>
          <span className="mono">{d.model}</span>
          {(d.region || d.base_url) && <span className="dim">{d.region || d.base_url}</span>}
          {d.calls_1h ? <span className="num">{t('models.hour', { n: int(d.calls_1h, lang) })}</span> : null}
          {d.errors_1h ? <Tag tone="err">{t('errors.n', { n: d.errors_1h })}</Tag> : null}
          {d.calls_1h && d.p50_ms ? <span className="num">p50 {duration(d.p50_ms)}</span> : null}
          {d.last_error && d.health !== 'ok' && <span className="err">{d.last_error}</span>}
        </div>
      </td>
    </tr>
  );
}
