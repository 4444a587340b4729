import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconArrowLeft, IconArrowsDiff, IconLink, IconRotateClockwise2, IconSearch, IconShare, IconTerminal2 } from '@tabler/icons-react';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { curlText } from '@/shared/api/queries';
import { useMayWrite } from '@/shared/api/useRole';
import type { Span, Trace } from '@/shared/api/types';
import { compact, duration, full, money, short } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { Copy, ErrorNotice, Page, PageBar, Spacer, Waiting } from '@/shared/ui/Bits';
import { useTitle } from '@/shared/ui/useTitle';
import type { Forest } from './forest';
import type { TraceSearch } from './search';
import { ownSource, SourceContext } from './source';
import s from './Trace.module.css';
import { useTrace } from './useTrace';
import { Viewer } from './Viewer';

const DiffDialog = lazy(() => import('./DiffDialog').then((m) => ({ default: m.DiffDialog })));
const ReplayDialog = lazy(() => import('./ReplayDialog').then((m) => ({ default: m.ReplayDialog })));
const ShareDialog = lazy(() => import('./ShareDialog').then((m) => ({ default: m.ShareDialog })));

type Dialog = 'diff' | 'replay' | 'share' | '';

/** Only calls of models were sent by bytes that can be sent again. */
const replayable = (x: Span | undefined) => x !== undefined && (x.kind === 'generation' || x.kind === 'embedding');

export function TracePage() {
  const { trace: id } = useParams({ from: '/app/traces/$trace' });
  const search = useSearch({ from: '/app/traces/$trace' });
  const go = useNavigate({ from: '/traces/$trace' });
  const source = useMemo(() => ownSource(id), [id]);
  const { head, f, big, error, retry } = useTrace(source);
  const inSession = useMemo(() => ({ ...source, session: head?.session }), [source, head?.session]);
  const [dialog, setDialog] = useState<Dialog>('');
  const set = useCallback((x: Partial<TraceSearch>) => void go({ search: (old) => ({ ...old, ...x }), replace: true }), [go]);
  const root = head && rootOf(head);
  useTitle(root && (root.trace_name || root.name || root.model));
  const mayWrite = useMayWrite();
  const link = useClipboard({ timeout: 1200 });
  const copyLink = (x: Span | undefined) => link.copy(linkTo(x?.id));
  if (error) return <ErrorNotice error={error} retry={retry} />;
  if (!head || !f) return <Waiting />;
  return (
    <SourceContext.Provider value={inSession}>
      <Page>
        <Viewer
          key={id}
          source={source} f={f} spans={head.spans} big={big} search={search} onSearch={set}
          keys={(span) => ({ d: () => setDialog('diff'), r: () => (replayable(span) && mayWrite ? setDialog('replay') : false), c: () => copyLink(span) })}
          bar={(span, nextFailed, find) => (
            <>
              <Bar id={id} head={head} f={f} span={span} mayWrite={mayWrite} copied={link.copied} onCopy={() => copyLink(span)} onFind={find} onFailed={nextFailed} onDialog={setDialog} />
              <Suspense>
                {dialog === 'diff' && <DiffDialog trace={id} session={head.session} root={root} span={span} several={f.c.n > 1} onClose={() => setDialog('')} />}
                {dialog === 'replay' && span && <ReplayDialog span={span} onClose={() => setDialog('')} />}
                {dialog === 'share' && <ShareDialog trace={id} onClose={() => setDialog('')} />}
              </Suspense>
            </>
          )}
        />
      </Page>
    </SourceContext.Provider>
  );
}

const rootOf = (t: Trace): Span | undefined => t.spans.find((x) => !x.parent) ?? t.spans[0];

/** The address of this page with the span in it, also where it was chosen by itself. */
function linkTo(span: string | undefined): string {
  const u = new URL(location.href);
  if (span) u.searchParams.set('span', span);
  return u.toString();
}

interface BarProps {
  id: string;
  head: Trace;
  f: Forest;
  span: Span | undefined;
  mayWrite: boolean;
  copied: boolean;
  onCopy: () => void;
  onFind: () => void;
  onFailed: () => void;
  onDialog: (d: Dialog) => void;
}

function Bar({ id, head, f, span, mayWrite, copied, onCopy, onFind, onFailed, onDialog }: BarProps) {
  const t = useT();
  const lang = useLang();
  const curl = useClipboard({ timeout: 1200 });
  const root = rootOf(head);
  const errors = sum(f, f.errors);
  const cost = sum(f, f.cost);
  const tokens = sum(f, f.tokens);
  const gateway = span && (span.source ?? '') === '' && replayable(span);
  return (
    <PageBar>
      <Link to="/traces" aria-label={t('nav.traces')} title={t('nav.traces')} style={{ display: 'inline-flex', color: 'inherit' }}>
        <IconArrowLeft size={16} />
      </Link>
      <h1 className="ellipsis" style={{ fontSize: 14, margin: 0, maxWidth: '36vw' }}>{root?.trace_name || root?.name || root?.model || id}</h1>
      <span className="mono dim2" title={id}>{short(id, 12)}</span>
      <Copy text={id} label={t('copy.id')} />
      {errors > 0 && (
        <Button size="compact-xs" variant="light" color="red" onClick={onFailed} title={`${t('help.error')} (e)`}>
          {t('errors.n', { n: errors })}
        </Button>
      )}
      <span className="dim2 num">{full(f.c.at, lang)}</span>
      <Spacer />
      {span?.replays && <Replayed span={span} />}
      {head.session && (
        <Link to="/sessions/$session" params={{ session: head.session }}>
          {t('f.session')} <span className="mono">{short(head.session)}</span>
        </Link>
      )}
      {f.c.n > 1 && <span className="num dim2">{t('trace.steps.n', { n: f.c.n, count: f.c.n.toLocaleString(lang) })}</span>}
      <span className="num">{duration(f.total)}</span>
      {tokens > 0 && f.c.n > 1 && <span className="num">{compact(tokens)} {t('tok')}</span>}
      <span className="num">{money(cost, lang)}</span>
      <div className={s.actions}>
        {replayable(span) && mayWrite && (
          <Button variant="default" leftSection={<IconRotateClockwise2 size={14} />} onClick={() => onDialog('replay')} title={`${t('replay')} (r)`}>
            {t('replay')}
          </Button>
        )}
        <Button variant="default" leftSection={<IconArrowsDiff size={14} />} onClick={() => onDialog('diff')} title={`${t('diff.with')} (d)`}>
          {t('diff')}
        </Button>
        {mayWrite && (
          <ActionIcon aria-label={t('share')} title={t('share')} onClick={() => onDialog('share')}>
            <IconShare size={16} />
          </ActionIcon>
        )}
        <ActionIcon aria-label={t(f.c.n > 1 ? 'trace.search' : 'trace.find')} title={`${t(f.c.n > 1 ? 'trace.search' : 'trace.find')} (/)`} onClick={onFind}>
          <IconSearch size={16} />
        </ActionIcon>
        <Tooltip label={copied ? t('copied') : `${t('copy.link')} (c)`}>
          <ActionIcon aria-label={t('copy.link')} onClick={onCopy}>
            <IconLink size={16} />
          </ActionIcon>
        </Tooltip>
        {gateway && (
          <Tooltip label={curl.copied ? t('copied') : t('copy.curl')}>
            <ActionIcon aria-label={t('copy.curl')} onClick={async () => curl.copy(await curlText(id, span.id))}>
              <IconTerminal2 size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
    </PageBar>
  );
}

const sum = (f: Forest, of: Float64Array | Uint32Array): number => f.roots.reduce((n, i) => n + of[i]!, 0);

/** This call is another one, sent again. */
function Replayed({ span }: { span: Span }) {
  const t = useT();
  const [trace = '', of] = (span.replays ?? '').split('/');
  return (
    <span>
      <Link to="/traces/$trace" params={{ trace }} search={{ span: of }}>{t('replay.of')}</Link> · <Link to="/diff" search={{ a: span.replays, b: `${span.trace}/${span.id}` }}>{t('diff')}</Link>
    </span>
  );
}
