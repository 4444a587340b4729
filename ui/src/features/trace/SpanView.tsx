import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useRef } from 'react';
import type { Span } from '@/shared/api/types';
import { duration, money } from '@/shared/format/format';
import { total } from '@/shared/format/usage';
import { useLang, useT, type Key } from '@/shared/i18n';
import { commentsQuery, scoresQuery } from '@/shared/notes/api';
import { StatusTag, Tag, TokenBar, Waiting } from '@/shared/ui/Bits';
import { Code } from '@/shared/ui/Code';
import { KindIcon } from '@/shared/ui/Kind';
import { AttributesTab } from './AttributesTab';
import { IOTab, RawTab } from './BodyTabs';
import { ConversationTab } from './ConversationTab';
import { CostTab } from './CostTab';
import { tabs, type Tab } from './search';
import { useSource } from './source';
import s from './Trace.module.css';

// Forms weigh as much as the rest of the page together.
const ScoresTab = lazy(() => import('./ScoresTab').then((m) => ({ default: m.ScoresTab })));

const names: Record<Tab, Key> = { conversation: 'tab.conversation', io: 'tab.io', attributes: 'tab.attributes', cost: 'tab.cost', scores: 'tab.scores', raw: 'tab.raw' };

/** Some clients carry their version in their name. */
function clientOf(s: Span): string {
  return s.client_version && !s.client?.includes(s.client_version) ? `${s.client} ${s.client_version}` : (s.client ?? '');
}

const recorded = (s: Span) => [s.input, s.output].some((b) => b == null || (b.form ?? '') !== '' || (b.size ?? 0) > 0);

export function SpanView({ span, tab, onTab }: { span: Span; tab?: Tab; onTab: (t: Tab) => void }) {
  const t = useT();
  const source = useSource();
  const bar = useRef<HTMLDivElement>(null);
  const shown = tabs.filter((x) => x !== 'scores' || !source.shared);
  const wanted: Tab = tab ?? (recorded(span) || span.error_text ? 'conversation' : 'attributes');
  const now = shown.includes(wanted) ? wanted : 'conversation';
  const onKey = (e: React.KeyboardEvent) => {
    const d = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (d === 0) return;
    e.preventDefault();
    onTab(shown[(shown.indexOf(now) + d + shown.length) % shown.length]!);
    requestAnimationFrame(() => bar.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  };
  return (
    <>
      <Facts span={span} />
      <div className={s.tabs} role="tablist" ref={bar} onKeyDown={onKey} aria-label={t('trace.tabs')}>
        {shown.map((x) => (
          <button key={x} type="button" role="tab" id={`tab-${x}`} aria-controls="span-panel" aria-selected={x === now} tabIndex={x === now ? 0 : -1} className={s.tab} onClick={() => onTab(x)}>
            {t(names[x])}
            {x === 'scores' && <Notes span={span} />}
          </button>
        ))}
      </div>
      <div className={s.panel} role="tabpanel" id="span-panel" aria-labelledby={`tab-${now}`} tabIndex={0}>
        <div className={s.column}>
          {span.error_text && <Code text={span.error_text} wrap title={<span className="err">{span.error_type || t('status.error')}</span>} />}
          {now === 'conversation' && <ConversationTab span={span} />}
          {now === 'io' && <IOTab span={span} />}
          {now === 'attributes' && <AttributesTab span={span} />}
          {now === 'cost' && <CostTab span={span} />}
          {now === 'scores' && <Suspense fallback={<Waiting />}><ScoresTab span={span} /></Suspense>}
          {now === 'raw' && <RawTab span={span} />}
        </div>
      </div>
    </>
  );
}

function Facts({ span }: { span: Span }) {
  const t = useT();
  const lang = useLang();
  const title = span.kind === 'generation' ? span.model || span.name : span.name;
  const other = span.kind === 'generation' && span.name !== title && (span.source ?? '') !== '' ? span.name : '';
  return (
    <div className={s.facts}>
      <span className={s.fact}>
        <KindIcon kind={span.kind} /> <b className="ellipsis">{title}</b> <StatusTag status={span.status} http={span.http} />
      </span>
      {other && <span className="dim2">{other}</span>}
      {span.upstream_model && span.upstream_model !== title && <span className="dim2 mono">{span.upstream_model}</span>}
      <span><span className="dim2">{t('c.duration')}</span> <b>{duration(span.duration_ms)}</b></span>
      {span.first_token_ms ? <span><span className="dim2">{t('c.ttft')}</span> <b>{duration(span.first_token_ms)}</b></span> : null}
      {span.usage && total(span.usage) > 0 && <span><TokenBar usage={span.usage} /> <b>{total(span.usage).toLocaleString(lang)}</b> <span className="dim2">{t('tok')}</span></span>}
      {span.cost_usd ? <span><span className="dim2">{t('m.cost')}</span> <b>{money(span.cost_usd, lang)}</b></span> : null}
      {span.covered && <Tag title={t('covered.hint')}>{t('covered')}</Tag>}
      {span.finish && <Tag>{span.finish}</Tag>}
      {span.cache_hit && <Tag tone="ok">{t('cache.hit')}</Tag>}
      {span.prompt && <Tag tone="accent">{span.prompt.name}{span.prompt.version ? ` v${span.prompt.version}` : ''}</Tag>}
      {span.service && <span className="dim2">{span.service}</span>}
      {span.client && <span className="dim2">{clientOf(span)}</span>}
      {span.scores?.map((x) => (
        <Tag key={x.name}>{x.name} {x.text || (x.value ?? '')}</Tag>
      ))}
    </div>
  );
}

/** How many scores and comments the span has. */
function Notes({ span }: { span: Span }) {
  const at = { trace: span.trace, span: span.id };
  const scores = useQuery({ ...scoresQuery(at), retry: false }).data?.items.length ?? 0;
  const comments = useQuery({ ...commentsQuery(at), retry: false }).data?.items.length ?? 0;
  return scores + comments > 0 ? <span className={s.badge}>{scores + comments}</span> : null;
}
