import type { RetrievedDocument } from '@/shared/chat/canonical';
import { useLang, useT } from '@/shared/i18n';
import { Fold } from '@/shared/chat/Parts';
import { Markdown } from '@/shared/chat/Markdown';
import { Code } from '@/shared/ui/Code';
import { Json } from '@/shared/ui/Json';
import s from './Trace.module.css';

const shown = 2000; // characters; a longer document is folded

/** What a retriever found, best first as it was given, each with its score as a bar. */
export function Documents({ items }: { items: RetrievedDocument[] }) {
  const t = useT();
  const best = items.reduce((n, d) => Math.max(n, d.score ?? 0), 0);
  return (
    <section className={s.docs}>
      <h2 className={s.h}>{t('documents.n', { n: items.length })}</h2>
      {items.map((d, i) => (
        <Doc key={i} d={d} n={i + 1} best={best} open={i < 3} />
      ))}
    </section>
  );
}

function Doc({ d, n, best, open }: { d: RetrievedDocument; n: number; best: number; open: boolean }) {
  const lang = useLang();
  const text = d.text ?? '';
  const meta = typeof d.metadata === 'object' && d.metadata !== null && Object.keys(d.metadata).length > 0;
  const head = (
    <>
      <span className="dim num">{n}</span>
      <strong className="ellipsis">{d.id || text.slice(0, 60)}</strong>
      {d.score != null && (
        <span className={s.score}>
          <span className={s.scoreBar}><span style={{ width: `${best > 0 ? Math.max(2, (d.score / best) * 100) : 2}%` }} /></span>
          <span className="num">{d.score.toLocaleString(lang, { maximumFractionDigits: 4 })}</span>
        </span>
      )}
    </>
  );
  return (
    <Fold head={head} open={open}>
      {() => (
        <>
          {text.length > shown ? <Code text={text} wrap /> : text && <Markdown text={text} />}
          {meta && <Json value={d.metadata} open={1} />}
        </>
      )}
    </Fold>
  );
}
