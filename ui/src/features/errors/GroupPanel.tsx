import { Link } from '@tanstack/react-router';
import type { ErrorGroup } from '@/shared/api/observe';
import { Spark } from '@/shared/charts/Spark';
import { full, int, percent, when } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import type { Range } from '@/shared/time/range';
import { KV, Tag } from '@/shared/ui/Bits';
import { Code } from '@/shared/ui/Code';
import { Sheet } from '@/shared/ui/Sheet';
import s from './Errors.module.css';
import { both, times } from './links';

/** One group of errors: its facts, its latest examples, and the way to all of them. */
export function GroupPanel({ group: g, range, filter, onClose }: { group: ErrorGroup; range: Range; filter: string; onClose: () => void }) {
  const t = useT();
  const lang = useLang();
  const q = both(filter, g.filter);
  return (
    <Sheet title={<strong className="ellipsis">{g.class || g.shape || t('m.errors')}</strong>} onClose={onClose}>
      <div className={s.panel}>
        {g.shape && <Code text={g.shape} wrap title={t('errors.shape')} />}
        <KV
          rows={[
            [t('m.errors'), <span className="num">{int(g.count, lang)} · {percent(g.share, 1)}</span>],
            [t('f.model'), g.model],
            [t('f.provider'), g.provider],
            [t('f.http'), g.http || undefined],
            [t('errors.first'), <span className="num">{full(g.first, lang)}</span>],
            [t('errors.last'), <span className="num">{full(g.last, lang)}</span>],
            [t('nav.users'), g.users > 0 ? <span className="num">{int(g.users, lang)}</span> : undefined],
            [t('nav.sessions'), g.sessions > 0 ? <span className="num">{int(g.sessions, lang)}</span> : undefined],
          ]}
        />
        <Spark values={g.spark} label={t('errors.when')} width="100%" height={44} />
        <div className={s.links}>
          <Link to="/traces" search={{ ...times(range), view: 'spans', q }}>{t('errors.all', { n: g.count })}</Link>
          <Link to="/alerts" search={{ new: '1', q: g.filter }}>{t('alert.on.this')}</Link>
        </div>
        <div>
          <h3>{t('errors.examples')}</h3>
          <ul className={s.examples}>
            {g.examples.map((x) => (
              <li key={x.trace + x.id}>
                <Link to="/traces/$trace" params={{ trace: x.trace }} search={{ span: x.id }}>
                  <span className="num">{when(x.start, lang)}</span> · {x.model || x.name} {x.user && <span className="dim2">· {x.user}</span>} {x.http ? <Tag tone="err">{x.http}</Tag> : null}
                </Link>
                <span className="dim2" style={{ overflowWrap: 'anywhere' }}>{x.error_text}</span>
              </li>
            ))}
          </ul>
        </div>
      </div>
    </Sheet>
  );
}
