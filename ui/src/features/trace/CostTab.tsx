import type { Span } from '@/shared/api/types';
import { duration, int, money, rate } from '@/shared/format/format';
import { prompt, total, writes } from '@/shared/format/usage';
import { useLang, useT, type Key } from '@/shared/i18n';
import { Tag, TokenBar, tokenParts } from '@/shared/ui/Bits';
import s from './Trace.module.css';
import { phases } from './timing';

const provenance: Record<string, Key> = { provider: 'cost.provider', measured: 'cost.measured', client: 'cost.client', estimated: 'cost.estimated' };

export function CostTab({ span }: { span: Span }) {
  const t = useT();
  const lang = useLang();
  const u = span.usage ?? {};
  const c = span.cost;
  const usd = [c?.cache_read_usd, c?.cache_write_usd, c?.input_usd, c?.output_usd];
  const source = c?.source || span.cost_source || '';
  return (
    <>
      <section>
        <h2 className={s.h}>{t('cost.breakdown')}</h2>
        {total(u) > 0 && <TokenBar usage={u} width="min(640px, 100%)" />}
        <table className={s.table}>
          <thead>
            <tr>
              <th>{t('cost.bucket')}</th>
              <th className={s.r}>{t('m.tokens')}</th>
              <th className={s.r}>{t('cost.permtok')}</th>
              <th className={s.r}>{t('m.cost')}</th>
            </tr>
          </thead>
          <tbody>
            {tokenParts.map((p, i) => (
              <tr key={p.key}>
                <td><span style={{ display: 'inline-block', width: 8, height: 8, borderRadius: 2, marginRight: 6, background: p.color }} />{t(p.key)}</td>
                <td className={s.r}>{int(p.of(u), lang)}</td>
                <td className={`${s.r} dim2`}>{p.of(u) > 0 && usd[i] ? rate((usd[i] / p.of(u)) * 1e6, lang) : ''}</td>
                <td className={s.r}>{usd[i] === undefined ? '' : money(usd[i], lang)}</td>
              </tr>
            ))}
            <tr>
              <td><strong>{t('total')}</strong></td>
              <td className={s.r}><strong>{int(total(u), lang)}</strong></td>
              <td />
              <td className={s.r}><strong>{money(c?.total_usd ?? span.cost_usd, lang)}</strong></td>
            </tr>
          </tbody>
        </table>
        <p className="dim2">
          {t('cost.prompt', { n: int(prompt(u), lang), w: int(writes(u), lang) })} {u.cache_write_1h ? t('cost.1h', { n: int(u.cache_write_1h, lang) }) : ''}{' '}
          {'reasoning' in u && u.reasoning ? t('cost.reasoning', { n: int(u.reasoning, lang) }) : ''}
        </p>
        <p className="dim2">
          {provenance[source] ? t(provenance[source]) : source} {c?.book && t('cost.book', { book: c.book })} {'estimated' in u && u.estimated && <Tag tone="warn">{t('cost.usage.estimated')}</Tag>}
        </p>
      </section>
      <Timing span={span} />
    </>
  );
}

function Timing({ span }: { span: Span }) {
  const t = useT();
  const tries = Array.isArray(span.tries) ? span.tries : [];
  const all = Math.max(1, span.duration_ms, ...tries.map((x) => x.start_ms + x.took_ms));
  const place = (from: number, took: number, color: string) => ({ left: `${(from / all) * 100}%`, width: `${(took / all) * 100}%`, background: color });
  return (
    <section>
      <h2 className={s.h}>{t('timing')}</h2>
      <table className={s.table}>
        <tbody>
          {phases(span).map((p) => (
            <tr key={p.key}>
              <td style={{ width: 200 }}>{t(p.key)}</td>
              <td><div className={s.gantt}><span style={place(p.from, p.took, p.color)} /></div></td>
              <td className={s.r} style={{ width: 90 }}>{duration(p.took)}</td>
            </tr>
          ))}
          {tries.map((x, i) => (
            <tr key={i}>
              <td>{t('try.n', { n: i + 1 })} <span className="dim2">{x.deployment}</span> {x.http ? <Tag tone={x.http >= 400 ? 'err' : 'ok'}>{x.http}</Tag> : null}{x.error && <div className="err">{x.error}</div>}</td>
              <td><div className={s.gantt}><span style={place(x.start_ms, x.took_ms, x.error ? 'var(--w-err)' : 'var(--w-accent)')} /></div></td>
              <td className={s.r}>{duration(x.took_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
