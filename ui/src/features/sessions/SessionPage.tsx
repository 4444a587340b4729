import { IconArrowLeft } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { sessionQuery } from '@/shared/api/queries';
import { duration, int, money, percent, short } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { useHotkeys } from '@/shared/keys/hotkeys';
import { Copy, ErrorNotice, Page, PageBar, Tag, Waiting } from '@/shared/ui/Bits';
import { SideRail } from './SideRail';
import s from './Session.module.css';
import { steps, totals } from './steps';
import { StepView } from './StepView';

export function SessionPage() {
  const t = useT();
  const lang = useLang();
  const { session: id } = useParams({ from: '/app/sessions/$session' });
  const q = useInfiniteQuery(sessionQuery(id));
  const [box, setBox] = useState<HTMLElement | null>(null);
  const [at, setAt] = useState(0);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = q;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); // all facts are wanted for the rail; bodies are drawn when seen
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const list = useMemo(() => steps(q.data?.pages.flatMap((p) => p.steps) ?? []), [q.data]);
  const sum = useMemo(() => totals(list), [list]);
  const jump = (n: number) => {
    if (n < 1 || n > list.length) return;
    setAt(n);
    document.getElementById(`step-${n}`)?.scrollIntoView({ block: 'start' });
  };
  const nextError = () => {
    const e = sum.errors.find((x) => x.n > at) ?? sum.errors[0];
    if (e) jump(e.n);
  };
  useHotkeys({ j: () => jump(at + 1), k: () => jump(Math.max(1, at - 1)), e: nextError });

  if (q.isPending) return <Waiting />;
  if (q.isError) return <ErrorNotice error={q.error} retry={() => void q.refetch()} />;
  const head = q.data.pages[0]!;
  return (
    <Page>
      <PageBar>
        <Link to="/sessions" aria-label={t('nav.sessions')} title={t('nav.sessions')} style={{ display: 'inline-flex', color: 'inherit' }}>
          <IconArrowLeft size={16} />
        </Link>
        <h1 className="ellipsis" style={{ fontSize: 14, margin: 0, flex: '0 1 auto' }}>{head.name || id}</h1>
        <span className="mono dim2">{short(id)}</span>
        <Copy text={id} label={t('copy.id')} />
        {head.client && <Tag>{head.client}</Tag>}
        <span className="dim2">{head.email || head.user}</span>
      </PageBar>
      <div className={s.strip}>
        <span>{t('calls.n', { n: list.length })}</span>
        <span>{money(sum.cost, lang)}</span>
        <span>{duration(sum.busy)}</span>
        <span>{t('cache.pct', { p: percent(sum.share) })}</span>
        {sum.errors.length > 0 && <button type="button" onClick={nextError} style={{ border: 0, background: 'none', padding: 0, font: 'inherit', cursor: 'pointer' }}><Tag tone="err">{t('errors.n', { n: sum.errors.length })}</Tag></button>}
      </div>
      <div className={s.split}>
        <div className={s.stream} ref={setBox} tabIndex={0} role="region" aria-label={t('session.conversation')}>
          <div className={s.inner}>
            {list.map((x, i) => (
              <StepView key={x.call.span + x.n} step={x} before={list[i - 1]} largest={sum.largest} root={box} />
            ))}
            {(hasNextPage || isFetchingNextPage) && <span className="dim">{t('loading')} {int(list.length, lang)}</span>}
          </div>
        </div>
        <SideRail head={head} list={list} sum={sum} at={at} onJump={jump} onError={nextError} />
      </div>
    </Page>
  );
}
