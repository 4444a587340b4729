import { useIntersection } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { memo, useEffect, useState } from 'react';
import { MessageView, SystemView } from '@/shared/chat/Conversation';
import { compact, duration, full, money, percent, when } from '@/shared/format/format';
import { cacheShare, prompt, total } from '@/shared/format/usage';
import { useLang, useT } from '@/shared/i18n';
import { StatusTag, Tag, TokenBar } from '@/shared/ui/Bits';
import { AppBody, foreign } from './AppBody';
import s from './Session.module.css';
import type { Step } from './steps';

const guess = 220; // px of a step that has not been drawn yet

/** One call: its facts, then only what it added. The body is drawn when it comes near the window, and then stays. */
export const StepView = memo(function StepView({ step, before, largest, root }: { step: Step; before?: Step; largest: number; root: HTMLElement | null }) {
  const [seen, setSeen] = useState(step.n <= 3);
  const { ref, entry } = useIntersection({ root, rootMargin: '1200px' });
  useEffect(() => {
    if (entry?.isIntersecting) setSeen(true);
  }, [entry]);
  return (
    <article ref={ref} id={`step-${step.n}`} className={s.step} style={seen ? undefined : { minHeight: guess }} aria-label={String(step.n)}>
      <Head step={step} largest={largest} />
      {seen && <Body step={step} before={before} />}
    </article>
  );
});

function Head({ step, largest }: { step: Step; largest: number }) {
  const t = useT();
  const lang = useLang();
  const c = step.call;
  const u = c.usage ?? {};
  return (
    <div className={s.head} data-bad={c.status !== 'ok' || undefined}>
      <Link className={s.n} to="/traces/$trace" params={{ trace: c.trace }} search={{ span: c.span }} title={t('open.trace')}>
        {step.n}
      </Link>
      {c.status !== 'ok' && <StatusTag status={c.status} http={c.http} />}
      <span className="dim2 num" title={full(c.start, lang)}>{when(c.start, lang)}</span>
      <span className="dim2">{c.model}</span>
      <span className={s.nums}>
        {total(u) > 0 && (
          <>
            <TokenBar usage={u} max={largest} width={140} />
            <span title={t('step.tokens')}>{compact(prompt(u))} → {compact(u.output ?? 0)}</span>
            <Tag tone={(cacheShare(u) ?? 0) > 0.5 ? 'ok' : undefined} title={t('m.cacheshare')}>{t('cache.pct', { p: percent(cacheShare(u)) })}</Tag>
          </>
        )}
        <span>{duration(c.duration_ms)}</span>
        <span title={t('step.cost')}><strong>{money(c.cost_usd, lang)}</strong></span>
        <span className="dim2" title={t('step.running')}>Σ {money(step.running, lang)}</span>
      </span>
    </div>
  );
}

function Body({ step, before }: { step: Step; before?: Step }) {
  const t = useT();
  const c = step.call;
  return (
    <div className={s.body}>
      {foreign(c) ? (
        <AppBody call={c} before={before?.call} />
      ) : (
        <>
          <SystemView parts={step.system} />
          {c.bodies_missing && <span className="dim">{t('bodies.missing')}</span>}
          {step.fresh.map((m, i) => (
            <MessageView key={i} message={m} />
          ))}
        </>
      )}
      {c.error_text && <div className={s.fail}>{c.error_text}</div>}
      {!foreign(c) && step.reply && <MessageView message={step.reply} />}
    </div>
  );
}
