import { Button } from '@mantine/core';
import { IconArrowLeft, IconTrash } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState, type ReactNode } from 'react';
import { summariesQuery, userActivityQuery, usersQuery } from '@/shared/api/observe';
import { meQuery, sessionsQuery } from '@/shared/api/queries';
import { Plot } from '@/shared/charts/Plot';
import { quote } from '@/shared/filter/clauses';
import { ago, compact, full, int, money, when } from '@/shared/format/format';
import { total } from '@/shared/format/usage';
import { useLang, useT } from '@/shared/i18n';
import { useEnds } from '@/shared/time/useRange';
import { Copy, ErrorNotice, Page, PageBar, Spacer, Tag, TokenBar, Waiting, bits } from '@/shared/ui/Bits';
import { Means } from '@/shared/ui/Means';
import { RangePicker } from '@/shared/ui/RangePicker';
import { daysOf } from './days';
import s from './Users.module.css';

const EraseDialog = lazy(() => import('@/shared/erase/EraseDialog').then((m) => ({ default: m.EraseDialog })));

/** One user: totals, activity by day, sessions and traces. */
export function UserPage() {
  const t = useT();
  const lang = useLang();
  const { user } = useParams({ from: '/app/users/$user' });
  const search = useSearch({ from: '/app/users/$user' });
  const go = useNavigate({ from: '/users/$user' });
  const [erasing, setErasing] = useState(false);
  const admin = useQuery(meQuery).data?.role === 'admin';
  const { from, to } = useEnds(search);
  const filter = `(user = ${quote(user)} or end_user = ${quote(user)} or email = ${quote(user)})`;
  const scope = useMemo(() => ({ filter, from, to }), [filter, from, to]);
  const totals = useInfiniteQuery(usersQuery(scope, '-calls', 20));
  const activity = useQuery(userActivityQuery(user));
  const days = useMemo(() => daysOf(activity.data?.days ?? [], 60, Date.now()), [activity.data]);
  const u = totals.data?.pages[0]?.items[0];
  const list = { ...search, q: filter };
  return (
    <Page>
      <PageBar>
        <Link to="/users" search={search} aria-label={t('nav.users')} title={t('nav.users')} style={{ display: 'inline-flex', color: 'inherit' }}>
          <IconArrowLeft size={16} />
        </Link>
        <h1 className="ellipsis" style={{ fontSize: 14, margin: 0 }}>{u?.email || user}</h1>
        <Copy text={user} label={t('copy.id')} />
        <Spacer />
        {admin && <Button variant="default" leftSection={<IconTrash size={14} />} onClick={() => setErasing(true)}>{t('erase.user')}</Button>}
        <RangePicker value={search} onChange={(r) => void go({ search: r })} />
      </PageBar>
      {totals.isError && <ErrorNotice error={totals.error} />}
      {totals.isPending && <Waiting />}
      <div className={bits.scroll} tabIndex={0} role="region" aria-label={user}>
        <div className={s.stats}>
          <Stat label={t('m.cost')}>{money(u?.cost_usd ?? 0, lang)}</Stat>
          <Stat label={t('m.calls')}>{int(u?.calls ?? 0, lang)}</Stat>
          <Stat label={t('m.errors')}><span className={u?.errors ? 'err' : undefined}>{int(u?.errors ?? 0, lang)}</span></Stat>
          <Stat label={t('m.tokens')}>{compact(total(u?.usage ?? {}))} {u && <TokenBar usage={u.usage} width={64} />}</Stat>
          <Stat label={t('nav.sessions')}>{int(u?.sessions ?? 0, lang)}</Stat>
          <Stat label={t('nav.traces')}>{int(u?.traces ?? 0, lang)}</Stat>
          <Stat label={t('users.first')}>{u ? <span title={full(u.first_seen, lang)}>{ago(u.first_seen, lang)}</span> : '–'}</Stat>
          <Stat label={t('users.last')}>{u ? <span title={full(u.last_seen, lang)}>{ago(u.last_seen, lang)}</span> : '–'}</Stat>
        </div>
        {u && (u.models.length > 0 || u.scores.length > 0) && (
          <div className={s.chips}>
            <Means scores={u.scores} max={12} />
            {u.models.map((m) => <Tag key={m}>{m}</Tag>)}
          </div>
        )}
        <section className={s.block}>
          <h2>{t('users.activity')}</h2>
          <Plot kind="column" points={days} unit={(v) => int(v, lang)} height={120} whole label={t('users.activity')} tick={(x) => new Intl.DateTimeFormat(lang, { month: 'short', day: 'numeric', timeZone: 'UTC' }).format(new Date(x))} />
        </section>
        <div className={s.two}>
          <Sessions scope={scope} all={<Link to="/sessions" search={list}>{t('users.all')}</Link>} />
          <Traces scope={scope} all={<Link to="/traces" search={list}>{t('users.all')}</Link>} />
        </div>
      </div>
      <Suspense>{erasing && <EraseDialog what={{ user }} onClose={() => setErasing(false)} />}</Suspense>
    </Page>
  );
}

function Stat({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className={s.stat}>
      <div className={s.label}>{label}</div>
      <div className={s.value}>{children}</div>
    </div>
  );
}

interface Scoped {
  scope: { filter: string; from: string; to: string };
  all: ReactNode;
}

function Sessions({ scope, all }: Scoped) {
  const t = useT();
  const lang = useLang();
  const rows = useInfiniteQuery(sessionsQuery(scope, 20)).data?.pages[0]?.items ?? [];
  return (
    <section className={s.block}>
      <h2>{t('nav.sessions')} {all}</h2>
      <table className={s.table}>
        <tbody>
          {rows.map((x) => (
            <tr key={x.session}>
              <td className={s.time}>{when(x.end, lang)}</td>
              <td><Link to="/sessions/$session" params={{ session: x.session }}>{x.name || x.session}</Link></td>
              <td className={s.r}>{t('calls.n', { n: x.calls })}</td>
              <td className={s.r}>{money(x.cost_usd, lang)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <span className="dim">{t('none')}</span>}
    </section>
  );
}

function Traces({ scope, all }: Scoped) {
  const t = useT();
  const lang = useLang();
  const rows = useInfiniteQuery(summariesQuery(scope, '-start', 20)).data?.pages[0]?.items ?? [];
  return (
    <section className={s.block}>
      <h2>{t('nav.traces')} {all}</h2>
      <table className={s.table}>
        <tbody>
          {rows.map((x) => (
            <tr key={x.trace}>
              <td className={s.time}>{when(x.start, lang)}</td>
              <td><Link to="/traces/$trace" params={{ trace: x.trace }}>{x.root.input_preview || x.name}</Link></td>
              <td className={s.r}>{x.errors > 0 ? <Tag tone="err">{t('errors.n', { n: x.errors })}</Tag> : null}</td>
              <td className={s.r}>{money(x.cost_usd, lang)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <span className="dim">{t('none')}</span>}
    </section>
  );
}
