import type { Erasure } from '../api/observe';
import { bytes, full, int, short } from '../format/format';
import { useLang, useT } from '../i18n';
import { KV } from '../ui/Bits';
import { Copy } from '../ui/Bits';
import s from './Erase.module.css';

export function Counts({ job }: { job: Erasure }) {
  const t = useT();
  const lang = useLang();
  const n = (v: number) => <span className="num">{int(v, lang)}</span>;
  return (
    <KV
      rows={[
        [t('nav.traces'), n(job.traces)],
        [t('m.spans'), n(job.spans)],
        [t('erase.content'), <span className="num">{int(job.content, lang)} · {bytes(job.bytes)}</span>],
        [t('erase.shared'), job.shared_kept > 0 ? n(job.shared_kept) : undefined],
        [t('erase.notes'), job.notes > 0 ? n(job.notes) : undefined],
      ]}
    />
  );
}

/** What is gone, what was kept and why, and what is out of Weir's reach. */
export function Certificate({ job }: { job: Erasure }) {
  const t = useT();
  const lang = useLang();
  const c = job.certificate;
  if (!c) return null;
  const lists = [['erase.removed', c.removed], ['erase.kept', c.kept], ['erase.notcovered', c.not_covered]] as const;
  return (
    <section className={s.certificate} aria-label={t('erase.certificate')}>
      <h2>
        {t('erase.certificate')} <Copy text={() => JSON.stringify(c, null, 2)} size={20} />
      </h2>
      <Counts job={job} />
      <KV
        rows={[
          [t('erase.job'), <code className="mono">{c.job}</code>],
          [t('erase.finished'), <span className="num">{full(c.finished, lang)}</span>],
          [t('erase.fingerprint'), <code className="mono" title={c.fingerprint}>{short(c.fingerprint, 16)}</code>],
          [t('erase.hash'), <code className="mono" title={c.traces_sha256}>{short(c.traces_sha256, 16)}</code>],
          [t('erase.reason'), job.reason],
          [t('audit.actor'), job.actor],
        ]}
      />
      {lists.filter(([, x]) => x.length > 0).map(([key, items]) => (
        <div key={key}>
          <h3>{t(key)}</h3>
          <ul>{items.map((x) => <li key={x}>{x}</li>)}</ul>
        </div>
      ))}
    </section>
  );
}
