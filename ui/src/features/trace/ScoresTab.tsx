import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import type { Span } from '@/shared/api/types';
import { useT } from '@/shared/i18n';
import type { Target } from '@/shared/notes/api';
import { Comments } from '@/shared/notes/Comments';
import { Scores } from '@/shared/notes/Scores';
import { useSource } from './source';

type Scope = 'span' | 'trace' | 'session';

/** Scores and comments of the span, or of the trace or session it belongs to. */
export function ScoresTab({ span }: { span: Span }) {
  const t = useT();
  const inherited = useSource().session;
  const session = span.session || inherited;
  const [scope, setScope] = useState<Scope>('span');
  const at: Target = scope === 'span' ? { trace: span.trace, span: span.id } : scope === 'trace' ? { trace: span.trace } : { session };
  const data = [
    { value: 'span', label: t('score.of.span') },
    { value: 'trace', label: t('score.of.trace') },
    ...(session ? [{ value: 'session', label: t('score.of.session') }] : []),
  ];
  return (
    <>
      <SegmentedControl aria-label={t('score.of')} value={scope} onChange={(v) => setScope(v as Scope)} data={data} style={{ justifySelf: 'start' }} />
      <Scores key={`s${scope}`} at={at} title={t('tab.scores')} />
      <Comments key={`c${scope}`} at={at} title={t('comments')} />
    </>
  );
}
