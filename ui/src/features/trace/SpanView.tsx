import { useRef } from 'react';
import type { Span } from '@/shared/api/types';
import { duration, money } from '@/shared/format/format';
import { total } from '@/shared/format/usage';
import { useLang, useT, type Key } from '@/shared/i18n';
import { StatusTag, Tag, TokenBar } from '@/shared/ui/Bits';
import { Code } from '@/shared/ui/Code';
import { KindIcon } from '@/shared/ui/Kind';
import { AttributesTab } from './AttributesTab';
import { ConversationTab, IOTab, RawTab } from './BodyTabs';
import { CostTab } from './CostTab';
import { tabs, type Tab } from './search';
import s from './Trace.module.css';

const names: Record<Tab, Key> = { conversation: 'tab.conversation', io: 'tab.io', attributes: 'tab.attributes', cost: 'tab.cost', raw: 'tab.raw' };

/** Some clients carry their version in their name. */
function clientOf(s: Span): string {
  return s.client_version && !s.client?.includes(s.client_version) ? `${s.client} ${s.client_version}` : (s.client ?? '');
}

export function SpanView({ trace, span, tab, onTab }: { trace: string; span: Span; tab?: Tab; onTab: (t: Tab) => void }) {
  const t = useT();
  const lang = useLang();
  const bar = useRef<HTMLDivElement>(null);
  const now = tab ?? (span.kind === 'generation' ? 'conversation' : 'io');
  const onKey = (e: React.KeyboardEvent) => {
    const d = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (d === 0) return;
    e.preventDefault();
    const next = tabs[(tabs.indexOf(now) + d + tabs.length) % tabs.length]!;
    onTab(next);
    requestAnimationFrame(() => bar.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  };
  return (
    <>
      <div className={s.facts}>
        <span style={{ display: 'inline-flex', gap: 6, alignItems: 'center' }}>
          <KindIcon kind={span.kind} /> <b>{span.model || span.name}</b> <StatusTag status={span.status} http={span.http} />
        </span>
        {span.upstream_model && <span className="dim2 mono">{span.upstream_model}</span>}
        <span><span className="dim2">{t('c.duration')}</span> <b>{duration(span.duration_ms)}</b></span>
        {span.first_token_ms ? <span><span className="dim2">{t('c.ttft')}</span> <b>{duration(span.first_token_ms)}</b></span> : null}
        {span.usage && total(span.usage) > 0 && <span><TokenBar usage={span.usage} /> <b>{total(span.usage).toLocaleString(lang)}</b> <span className="dim2">{t('tok')}</span></span>}
        {span.cost_usd ? <span><span className="dim2">{t('m.cost')}</span> <b>{money(span.cost_usd, lang)}</b></span> : null}
        {span.finish && <Tag>{span.finish}</Tag>}
        {span.cache_hit && <Tag tone="ok">{t('cache.hit')}</Tag>}
        {span.client && <span className="dim2">{clientOf(span)}</span>}
      </div>
      <div className={s.tabs} role="tablist" ref={bar} onKeyDown={onKey} aria-label={t('trace.tabs')}>
        {tabs.map((x) => (
          <button key={x} type="button" role="tab" id={`tab-${x}`} aria-controls="span-panel" aria-selected={x === now} tabIndex={x === now ? 0 : -1} className={s.tab} onClick={() => onTab(x)}>
            {t(names[x])}
          </button>
        ))}
      </div>
      <div className={s.panel} role="tabpanel" id="span-panel" aria-labelledby={`tab-${now}`} tabIndex={0}>
        <div className={s.column}>
          {span.error_text && <Code text={span.error_text} wrap title={<span className="err">{span.error_type || t('status.error')}</span>} />}
          {now === 'conversation' && <ConversationTab trace={trace} span={span} />}
          {now === 'io' && <IOTab trace={trace} span={span} />}
          {now === 'attributes' && <AttributesTab span={span} />}
          {now === 'cost' && <CostTab span={span} />}
          {now === 'raw' && <RawTab trace={trace} span={span} />}
        </div>
      </div>
    </>
  );
}
