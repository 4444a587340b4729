import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { SessionDetail } from '@/shared/api/types';
import { quote } from '@/shared/filter/clauses';
import { duration, int, money, percent } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { Dot, KV, TokenBar, TokenLegend } from '@/shared/ui/Bits';
import { Means } from '@/shared/ui/Means';
import s from './Session.module.css';
import { gist, type Step, type Totals } from './steps';

export function SideRail({ head, list, sum, at, onJump, onError }: { head: SessionDetail; list: Step[]; sum: Totals; at: number; onJump: (n: number) => void; onError: () => void }) {
  const t = useT();
  const lang = useLang();
  return (
    <aside className={s.rail} aria-label={t('session.totals')}>
      <div>
        <div className="dim2">{t('m.cost')}</div>
        <div className={s.big}>{money(sum.cost, lang)}</div>
      </div>
      <div style={{ display: 'grid', gap: 6 }}>
        <TokenBar usage={sum.usage} width="100%" />
        <div className={s.legend}><TokenLegend usage={sum.usage} /></div>
      </div>
      <KV
        rows={[
          [t('m.calls'), <span className="num">{int(list.length, lang)}</span>],
          [t('nav.traces'), (head.traces ?? 0) > 0 ? <Link to="/traces" search={{ view: 'traces', q: `session = ${quote(head.session)}`, r: '90d' }} className="num">{int(head.traces, lang)}</Link> : undefined],
          [t('m.cacheshare'), <span className="num">{percent(sum.share, 1)}</span>],
          [t('session.busy'), <span className="num">{duration(sum.busy)}</span>],
          [t('c.length'), <span className="num">{duration(Date.parse(head.end) - Date.parse(head.start))}</span>],
          [t('f.models'), head.models?.join(', ')],
          [t('f.user'), head.user ? <Link to="/users/$user" params={{ user: head.user }}>{head.email || head.user}</Link> : head.email],
          [t('tab.scores'), head.scores?.length ? <Means scores={head.scores} max={8} /> : undefined],
          [t('f.key'), head.key_alias],
        ]}
      />
      {sum.errors.length > 0 && (
        <Button variant="light" color="red" leftSection={<IconAlertTriangle size={14} />} onClick={onError}>
          {t('session.nexterror', { n: sum.errors.length })}
        </Button>
      )}
      <nav aria-label={t('session.steps')}>
        <h2 className={s.h}>{t('session.steps')}</h2>
        <ol className={s.toc}>
          {list.map((x) => (
            <li key={x.n}>
              <button type="button" aria-current={x.n === at ? 'step' : undefined} onClick={() => onJump(x.n)}>
                <span className={s.tn}>{x.n}</span>
                {x.call.status !== 'ok' && <Dot color="var(--w-err)" />}
                <span className="ellipsis">{gist(x)}</span>
                <span className="num" style={{ marginLeft: 'auto' }}>{money(x.call.cost_usd, lang)}</span>
              </button>
            </li>
          ))}
        </ol>
      </nav>
    </aside>
  );
}
