import type { ColumnDef, VisibilityState } from '@tanstack/react-table';
import type { TraceRow } from '@/shared/api/types';
import { compact, duration, full, money, when } from '@/shared/format/format';
import { total } from '@/shared/format/usage';
import { useT, type Key, type Lang, type T } from '@/shared/i18n';
import { pref } from '@/shared/theme/prefs';
import { Tag, TokenBar } from '@/shared/ui/Bits';
import { KindIcon } from '@/shared/ui/Kind';

interface Spec {
  id: string;
  label: Key;
  size: number;
  cell: (r: TraceRow, lang: Lang) => React.ReactNode;
  right?: boolean;
  grow?: boolean;
  sort?: string;
  hidden?: boolean;
}

export const specs: Spec[] = [
  { id: 'start', label: 'c.time', size: 96, sort: 'start', cell: (r, l) => <span className="num" title={full(r.start, l)}>{when(r.start, l)}</span> },
  { id: 'name', label: 'c.name', size: 150, hidden: true, cell: (r) => <><KindIcon kind={r.kind} /> {r.name}</> },
  { id: 'model', label: 'f.model', size: 166, cell: (r) => <span style={{ display: 'inline-flex', gap: 6, alignItems: 'center', maxWidth: '100%', verticalAlign: 'middle' }}><KindIcon kind={r.kind} /><span className="ellipsis">{r.model || r.name}</span></span> },
  { id: 'input', label: 'c.input', size: 190, grow: true, cell: (r) => <Preview r={r} /> },
  { id: 'output', label: 'c.output', size: 200, grow: true, hidden: true, cell: (r) => r.output_preview },
  { id: 'client', label: 'f.client', size: 104, cell: (r) => r.client },
  { id: 'user', label: 'f.user', size: 80, cell: (r) => r.user || r.email },
  { id: 'key', label: 'f.key', size: 110, hidden: true, cell: (r) => r.key_alias || r.key },
  { id: 'provider', label: 'f.provider', size: 90, hidden: true, cell: (r) => r.provider },
  { id: 'deployment', label: 'f.deployment', size: 150, hidden: true, cell: (r) => r.deployment },
  { id: 'session', label: 'f.session', size: 110, hidden: true, cell: (r) => <span className="mono">{r.session}</span> },
  { id: 'tags', label: 'f.tag', size: 120, hidden: true, cell: (r) => r.tags?.map((x) => <Tag key={x}>{x}</Tag>) },
  { id: 'ttft', label: 'c.ttft', size: 82, right: true, sort: 'ttft', cell: (r) => duration(r.first_token_ms) },
  { id: 'duration', label: 'c.duration', size: 76, right: true, sort: 'duration', cell: (r) => duration(r.duration_ms) },
  { id: 'tokens', label: 'm.tokens', size: 116, right: true, sort: 'tokens', cell: (r) => r.usage && total(r.usage) > 0 ? <><TokenBar usage={r.usage} width={52} /> <span style={{ display: 'inline-block', minWidth: 44 }}>{compact(total(r.usage))}</span></> : null },
  { id: 'cost', label: 'm.cost', size: 96, right: true, sort: 'cost', cell: (r, l) => (r.cost_usd ? money(r.cost_usd, l) : null) },
];

function Preview({ r }: { r: TraceRow }) {
  const t = useT();
  if (r.status === 'error') return <><Tag tone="err">{r.http || r.status}</Tag> <span className="err">{r.error_text || r.error_type}</span></>;
  if (r.status !== 'ok') return <><Tag tone="warn">{r.status}</Tag> {r.input_preview}</>;
  return <>{r.cache_hit && <><Tag tone="ok" title={t('cache.hit')}>cache</Tag> </>}{r.input_preview || <span className="dim">{r.name}</span>}</>;
}

export function columns(t: T, lang: Lang): ColumnDef<TraceRow>[] {
  return specs.map((c) => ({
    id: c.id,
    header: t(c.label),
    size: c.size,
    minSize: 48,
    meta: { right: c.right, grow: c.grow, sort: c.sort },
    cell: (x) => c.cell(x.row.original, lang),
  }));
}

const initial: VisibilityState = Object.fromEntries(specs.map((c) => [c.id, !c.hidden]));

export const shownPref = pref<VisibilityState>('traces.shown', initial, (v) => ({ ...initial, ...(typeof v === 'object' ? (v as VisibilityState) : {}) }));

const narrowHidden: VisibilityState = { model: false, client: false, duration: false, user: false, ttft: false, tokens: false, key: false };

export function visible(shown: VisibilityState, width: number): VisibilityState {
  return width < 640 ? { ...shown, ...narrowHidden } : shown;
}
