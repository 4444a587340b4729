import { ActionIcon } from '@mantine/core';
import { IconArrowsMaximize, IconFilter } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { bodyQuery } from '@/shared/api/queries';
import type { TraceRow } from '@/shared/api/types';
import { MessageView } from '@/shared/chat/Conversation';
import { answer, parsed, request } from '@/shared/chat/normalize';
import { toggle } from '@/shared/filter/clauses';
import { duration, full, money } from '@/shared/format/format';
import { total } from '@/shared/format/usage';
import { useLang, useT } from '@/shared/i18n';
import { KV, StatusTag, Tag, TokenBar, TokenLegend } from '@/shared/ui/Bits';
import { Code } from '@/shared/ui/Code';
import { KindIcon } from '@/shared/ui/Kind';
import { Sheet } from '@/shared/ui/Sheet';

/** The side panel: the facts of a call, its last question and its answer. */
export function Preview({ row, onClose, filter, onFilter }: { row: TraceRow; onClose: () => void; filter: string; onFilter: (f: string) => void }) {
  const t = useT();
  const lang = useLang();
  const by = (field: string, value?: string) =>
    value && (
      <span style={{ display: 'inline-flex', alignItems: 'center', gap: 2 }}>
        {value}
        <ActionIcon size={18} aria-label={t('filter.by', { v: value })} onClick={() => onFilter(toggle(filter, field, value))}>
          <IconFilter size={12} />
        </ActionIcon>
      </span>
    );
  const title = (
    <span style={{ display: 'flex', gap: 6, alignItems: 'center' }}>
      <KindIcon kind={row.kind} />
      <strong className="ellipsis">{row.source ? row.name : row.model || row.name}</strong>
      <StatusTag status={row.status} http={row.http} />
    </span>
  );
  const actions = (
    <Link to="/traces/$trace" params={{ trace: row.trace }} search={{ span: row.id }} aria-label={t('open.trace')} title={`${t('open.trace')} (⇧Enter)`}>
      <IconArrowsMaximize size={15} />
    </Link>
  );
  return (
    <Sheet title={title} actions={actions} onClose={onClose}>
      <div style={{ display: 'grid', gap: 14 }}>
        {row.error_text && <Code text={row.error_text} wrap title={<span className="err">{row.error_type}</span>} />}
        <KV
          rows={[
            [t('c.time'), <span className="num">{full(row.start, lang)}</span>],
            [t('c.duration'), <span className="num">{duration(row.duration_ms)}{row.first_token_ms ? ` · ${t('c.ttft')} ${duration(row.first_token_ms)}` : ''}</span>],
            [t('m.cost'), row.cost_usd ? <span className="num">{money(row.cost_usd, lang)}</span> : undefined],
            [t('f.upstream'), row.upstream_model && <span className="mono">{row.upstream_model}</span>],
            [t('f.user'), by('user', row.user)],
            [t('f.key'), by('key_alias', row.key_alias)],
            [t('f.client'), by('client', row.client)],
            [t('f.service'), by('service', row.service)],
            [t('f.environment'), by('environment', row.environment)],
            [t('f.session'), row.session && <Link to="/sessions/$session" params={{ session: row.session }} className="mono">{row.session}</Link>],
            [t('f.tag'), row.tags?.length ? row.tags.map((x) => <Tag key={x}>{x}</Tag>) : undefined],
            [t('tab.scores'), row.scores?.length ? row.scores.map((x) => <Tag key={x.name}>{x.name} {x.text || x.value}</Tag>) : undefined],
          ]}
        />
        {row.usage && total(row.usage) > 0 && (
          <div style={{ display: 'grid', gap: 6 }}>
            <TokenBar usage={row.usage} width="100%" />
            <div style={{ display: 'flex', gap: '4px 14px', flexWrap: 'wrap' }}><TokenLegend usage={row.usage} /></div>
          </div>
        )}
        {row.source ? <Previews row={row} /> : <Exchange row={row} />}
      </div>
    </Sheet>
  );
}

/** Spans of applications: what the list knows of their texts; their page has the whole. */
function Previews({ row }: { row: TraceRow }) {
  const t = useT();
  return (
    <>
      {row.input_preview && <Code text={row.input_preview} wrap title={t('c.input')} />}
      {row.output_preview && <Code text={row.output_preview} wrap title={t('c.output')} />}
    </>
  );
}

function Exchange({ row }: { row: TraceRow }) {
  const input = useQuery({ ...bodyQuery(row.trace, row.id, 'input'), retry: false });
  const output = useQuery({ ...bodyQuery(row.trace, row.id, 'output'), retry: false, enabled: row.status !== 'error' || !!row.output_preview });
  const last = useMemo(() => (input.data ? request(parsed(input.data))?.messages.at(-1) : undefined), [input.data]);
  const reply = useMemo(() => (output.data ? answer(parsed(output.data)) : undefined), [output.data]);
  return (
    <>
      {last && <MessageView message={last} />}
      {reply && <MessageView message={reply} />}
    </>
  );
}
