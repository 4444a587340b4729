import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconArrowLeft, IconLink, IconSearch, IconTerminal2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo, useRef, useState } from 'react';
import { curlText, traceQuery } from '@/shared/api/queries';
import { duration, full, money, short } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { useHotkeys } from '@/shared/keys/hotkeys';
import { Copy, ErrorNotice, Page, PageBar, Spacer, Tag, Waiting } from '@/shared/ui/Bits';
import { FindBar } from './FindBar';
import { SpanView } from './SpanView';
import s from './Trace.module.css';
import { first, nextError, tree } from './tree';
import { Waterfall } from './Waterfall';

export function TracePage() {
  const t = useT();
  const lang = useLang();
  const { trace: id } = useParams({ from: '/app/traces/$trace' });
  const search = useSearch({ from: '/app/traces/$trace' });
  const go = useNavigate({ from: '/traces/$trace' });
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [finding, setFinding] = useState(false);
  const findInput = useRef<HTMLInputElement>(null);
  const q = useQuery(traceQuery(id));
  const whole = useMemo(() => tree(q.data?.spans ?? []), [q.data]);
  const shown = useMemo(() => (closed.size > 0 ? tree(q.data?.spans ?? [], closed) : whole), [q.data, closed, whole]);
  const selected = search.span ?? first(whole.rows);
  const span = q.data?.spans.find((x) => x.id === selected) ?? q.data?.spans[0];
  const select = (x: string | undefined) => x && void go({ search: (old) => ({ ...old, span: x }), replace: true });
  const toggle = (x: string) => setClosed((old) => (old.has(x) ? new Set([...old].filter((y) => y !== x)) : new Set([...old, x])));
  const openFind = () => {
    setFinding(true);
    findInput.current?.select();
  };
  const link = useClipboard({ timeout: 1200 });
  const curl = useClipboard({ timeout: 1200 });
  const copyCurl = async () => span && curl.copy(await curlText(id, span.id));
  const at = shown.rows.findIndex((r) => r.span.id === span?.id);
  const inTree = (e: KeyboardEvent) => !(e.target instanceof HTMLElement && e.target.closest('[role="tablist"],[role="tabpanel"],[role="menu"]'));
  const step = (d: number) => (e: KeyboardEvent) => (inTree(e) ? select(shown.rows[Math.max(0, Math.min(shown.rows.length - 1, at + d))]?.span.id) || undefined : false);
  const fold = (want: boolean) => (e: KeyboardEvent) => {
    const r = shown.rows[at];
    if (!inTree(e) || !r || r.children === 0 || closed.has(r.span.id) === want) return false;
    toggle(r.span.id);
  };
  useHotkeys({ '/': openFind, ArrowDown: step(1), ArrowUp: step(-1), j: step(1), k: step(-1), ArrowLeft: fold(true), ArrowRight: fold(false), e: () => select(nextError(whole.rows, span?.id)) || undefined, c: () => link.copy(location.href) });

  if (q.isPending) return <Waiting />;
  if (q.isError) return <ErrorNotice error={q.error} retry={() => void q.refetch()} />;
  const errors = q.data.spans.filter((x) => x.status === 'error').length;
  return (
    <Page>
      <PageBar>
        <Link to="/traces" aria-label={t('nav.traces')} title={t('nav.traces')} style={{ display: 'inline-flex', color: 'inherit' }}>
          <IconArrowLeft size={16} />
        </Link>
        <h1 style={{ fontSize: 14, margin: 0 }}>{q.data.spans[0]?.name}</h1>
        <span className="mono dim2" title={id}>{short(id, 12)}</span>
        <Copy text={id} label={t('copy.id')} />
        {errors > 0 && <Tag tone="err">{t('errors.n', { n: errors })}</Tag>}
        <span className="dim2 num">{full(q.data.spans[0]?.start ?? '', lang)}</span>
        <Spacer />
        {q.data.session && (
          <Link to="/sessions/$session" params={{ session: q.data.session }}>
            {t('f.session')} <span className="mono">{short(q.data.session)}</span>
          </Link>
        )}
        <span className="num">{duration(whole.total)}</span>
        <span className="num">{money(q.data.total_cost_usd, lang)}</span>
        <Tooltip label={curl.copied ? t('copied') : t('copy.curl')}>
          <Button variant="default" leftSection={<IconTerminal2 size={14} />} onClick={() => void copyCurl()}>
            {curl.copied ? t('copied') : 'cURL'}
          </Button>
        </Tooltip>
        <ActionIcon aria-label={t('trace.find')} title={`${t('trace.find')} (/)`} onClick={openFind}>
          <IconSearch size={16} />
        </ActionIcon>
        <ActionIcon aria-label={t('copy.link')} title={`${link.copied ? t('copied') : t('copy.link')} (c)`} onClick={() => link.copy(location.href)}>
          <IconLink size={16} />
        </ActionIcon>
      </PageBar>
      <div className={s.split}>
        {q.data.spans.length > 1 && (
          <div className={s.left}>
            <Waterfall tree={shown} selected={span?.id} onSelect={select} closed={closed} onToggle={toggle} />
          </div>
        )}
        <div className={s.right}>
          {span && finding && <FindBar input={findInput} scope={`${span.id} ${search.tab ?? ''}`} onClose={() => setFinding(false)} />}
          {span && <SpanView key={span.id} trace={id} span={span} tab={search.tab} onTab={(tab) => void go({ search: (old) => ({ ...old, tab }), replace: true })} />}
        </div>
      </div>
    </Page>
  );
}
