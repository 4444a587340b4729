import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo } from 'react';
import { ApiError } from '@/shared/api/client';
import { compact, duration, full, money } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { ErrorNotice, Page, PageBar, Spacer, Tag, Waiting } from '@/shared/ui/Bits';
import { Logo } from '@/shared/ui/Logo';
import { useTitle } from '@/shared/ui/useTitle';
import type { TraceSearch } from './search';
import { sharedSource, SourceContext } from './source';
import s from './Shared.module.css';
import { useTrace } from './useTrace';
import { Viewer } from './Viewer';

/** One trace for whoever has the link: no login, and nothing of Weir but this page. */
export function SharedPage() {
  const t = useT();
  const lang = useLang();
  const { token } = useParams({ from: '/share/$token' });
  const search = useSearch({ from: '/share/$token' });
  const go = useNavigate({ from: '/share/$token' });
  const source = useMemo(() => sharedSource(token), [token]);
  const { head, f, big, error, retry } = useTrace(source);
  const set = useCallback((x: Partial<TraceSearch>) => void go({ search: (old) => ({ ...old, ...x }), replace: true }), [go]);
  const root = head?.spans.find((x) => !x.parent) ?? head?.spans[0];
  const name = root?.trace_name || root?.name || '';
  useEffect(() => {
    document.documentElement.lang = lang;
  }, [lang]);
  useTitle(name || t('share.shared'));
  const gone = error instanceof ApiError && (error.status === 404 || error.status === 410 || error.status === 401);
  return (
    <div className={s.app}>
      <main className={s.main}>
        {gone ? (
          <div className={s.gone}>
            <Logo size={28} />
            <h1>{t('share.gone')}</h1>
            <p className="dim2">{t('share.gone.hint')}</p>
          </div>
        ) : error ? (
          <ErrorNotice error={error} retry={retry} />
        ) : !f || !head ? (
          <Waiting />
        ) : (
          <SourceContext.Provider value={source}>
            <Page>
              <Viewer
                source={source} f={f} spans={head.spans} big={big} search={search} onSearch={set}
                bar={() => (
                  <PageBar>
                    <Logo size={18} />
                    <h1 className="ellipsis" style={{ fontSize: 14, margin: 0 }}>{name}</h1>
                    <Tag tone="accent">{t('share.shared')}</Tag>
                    <span className="dim2 num">{full(f.c.at, lang)}</span>
                    <Spacer />
                    <span className="num dim2">{t('trace.steps.n', { n: f.c.n, count: f.c.n.toLocaleString(lang) })}</span>
                    <span className="num">{duration(f.total)}</span>
                    <span className="num">{compact(f.roots.reduce((n, i) => n + f.tokens[i]!, 0))} {t('tok')}</span>
                    <span className="num">{money(f.roots.reduce((n, i) => n + f.cost[i]!, 0), lang)}</span>
                  </PageBar>
                )}
              />
            </Page>
          </SourceContext.Provider>
        )}
      </main>
    </div>
  );
}
