import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { allKeysQuery } from '@/shared/api/queries';
import { BudgetBar } from '@/shared/budget/BudgetBar';
import { nearEnd, used } from '@/shared/budget/budget';
import { money, percent } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import s from './Home.module.css';

const top = 8;

/** Nothing at all when no budget is near its end, or the caller may not see keys. */
export function Budgets() {
  const t = useT();
  const lang = useLang();
  const q = useQuery(allKeysQuery);
  const rows = nearEnd(q.data?.items ?? []).slice(0, top);
  if (rows.length === 0) return null;
  return (
    <section>
      <h2>{t('home.budgets')}</h2>
      <table className={s.table}>
        <thead>
          <tr>
            <th>{t('f.key')}</th>
            <th className={s.right} style={{ width: 150 }}>{t('key.spend')}</th>
            <th style={{ width: 90 }}><span className="sr">{t('key.used')}</span></th>
            <th className={s.right} style={{ width: 64 }}>{t('key.used')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((k) => (
            <tr key={k.id}>
              <td>
                <Link to="/keys" search={{ edit: k.origin === 'file' ? undefined : k.id }}>
                  {k.alias || k.name || k.id}
                </Link>
              </td>
              <td className={s.right}>{money(k.spend_usd ?? 0, lang)} <span className="dim2">/ {money(k.max_budget_usd, lang)}</span></td>
              <td><BudgetBar share={used(k)!} label={t('key.budget')} /></td>
              <td className={s.right}>{percent(used(k))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
