import type { ColumnDef, VisibilityState } from '@tanstack/react-table';
import { compact, duration, full, int, money, when } from '@/shared/format/format';
import { total } from '@/shared/format/usage';
import { useT, type Key, type Lang, type T } from '@/shared/i18n';
import { pref } from '@/shared/theme/prefs';
import { Tag, TokenBar } from '@/shared/ui/Bits';
import { KindIcon } from '@/shared/ui/Kind';
import { scoreOf, type ListRow } from './rows';
import type { ListView } from './search';

export interface Spec {
  id: string;
  label: Key;
  title?: string; // where the label comes from data
  size: number;
  cell: (r: ListRow, lang: Lang) => React.ReactNode;
  right?: boolean;
  grow?: boolean;
  sort?: string;
  hidden?: boolean;
  only?: 'traces' | 'spans'; // the view it belongs to
}

const named: React.CSSProperties = { display: 'inline-flex', gap: 6, alignItems: 'center', maxWidth: '100%', verticalAlign: 'middle' };

export const specs: Spec[] = [
  { id: 'start', label: 'c.time', size: 88, sort: 'start', cell: (r, l) => <span className="num" title={full(r.start, l)}>{when(r.start, l)}</span> },
  { id: 'trace', label: 'f.trace', size: 140, only: 'traces', cell: (r) => <span style={named}><KindIcon kind={r.kind} /><span className="ellipsis">{r.name}</span></span> },
  { id: 'name', label: 'c.name', size: 150, only: 'spans', hidden: true, cell: (r) => <><KindIcon kind={r.kind} /> {r.name}</> },
  { id: 'models', label: 'f.models', size: 110, only: 'traces', cell: (r) => r.model },
  { id: 'model', label: 'f.model', size: 156, only: 'spans', cell: (r) => <span style={named}><KindIcon kind={r.kind} /><span className="ellipsis">{r.model || r.name}</span></span> },
  { id: 'input', label: 'c.input', size: 170, grow: true, cell: (r) => <Preview r={r} /> },
  { id: 'output', label: 'c.output', size: 200, grow: true, hidden: true, cell: (r) => r.output_preview },
  { id: 'services', label: 'f.service', size: 110, only: 'traces', hidden: true, cell: (r) => r.service || r.client },
  { id: 'service', label: 'f.service', size: 100, only: 'spans', cell: (r) => r.service || r.client },
  { id: 'environment', label: 'f.environment', size: 100, hidden: true, cell: (r) => r.environment },
  { id: 'client', label: 'f.client', size: 104, hidden: true, cell: (r) => r.client },
  { id: 'user', label: 'f.user', size: 88, cell: (r) => r.user || r.email || r.end_user },
  { id: 'key', label: 'f.key', size: 110, hidden: true, cell: (r) => r.key_alias || r.key },
  { id: 'provider', label: 'f.provider', size: 90, hidden: true, cell: (r) => r.provider },
  { id: 'deployment', label: 'f.deployment', size: 150, hidden: true, cell: (r) => r.deployment },
  { id: 'session', label: 'f.session', size: 110, hidden: true, cell: (r) => <span className="mono">{r.session}</span> },
  { id: 'tags', label: 'f.tag', size: 120, hidden: true, cell: (r) => r.tags?.map((x) => <Tag key={x}>{x}</Tag>) },
  { id: 'spans', label: 'm.spans', size: 68, right: true, only: 'traces', cell: (r, l) => int(r.whole?.spans, l) },
  { id: 'calls', label: 'm.calls', size: 58, right: true, only: 'traces', hidden: true, cell: (r, l) => int(r.whole?.calls, l) },
  { id: 'errors', label: 'm.errors', size: 56, right: true, only: 'traces', cell: (r, l) => (r.whole?.errors ? <span className="err">{int(r.whole.errors, l)}</span> : null) },
  { id: 'ttft', label: 'c.ttft', size: 78, right: true, sort: 'ttft', only: 'spans', cell: (r) => duration(r.first_token_ms) },
  { id: 'duration', label: 'c.duration', size: 76, right: true, sort: 'duration', cell: (r) => duration(r.duration_ms) },
  { id: 'tokens', label: 'm.tokens', size: 116, right: true, sort: 'tokens', cell: (r) => r.usage && total(r.usage) > 0 ? <><TokenBar usage={r.usage} width={52} /> <span style={{ display: 'inline-block', minWidth: 44 }}>{compact(total(r.usage))}</span></> : null },
  { id: 'cost', label: 'm.cost', size: 94, right: true, sort: 'cost', cell: (r, l) => (r.cost_usd ? money(r.cost_usd, l) : null) },
];

const scoreColumn = (name: string): Spec => ({ id: `score.${name}`, label: 'c.score', title: name, size: 84, right: true, sort: `score.${name}`, cell: (r) => scoreOf(r, name) });

/** The columns a view can show, in the reader's order; each score there is has one. */
export function specsOf(view: ListView, scores: string[], order: string[]): Spec[] {
  const all = [...specs.filter((c) => !c.only || c.only === (view === 'traces' ? 'traces' : 'spans')), ...scores.map(scoreColumn)];
  const place = new Map(order.map((id, i) => [id, i]));
  return all.map((c, i) => ({ c, at: place.get(c.id) ?? i })).toSorted((a, b) => a.at - b.at).map((x) => x.c);
}

function Preview({ r }: { r: ListRow }) {
  const t = useT();
  if (r.status === 'error') return <><Tag tone="err">{r.http || t('status.error')}</Tag> <span className="err">{r.error_text || r.error_type}</span></>;
  if (r.status !== 'ok') return <><Tag tone="warn">{r.status}</Tag> {r.input_preview}</>;
  return <>{r.cache_hit && <><Tag tone="ok" title={t('cache.hit')}>cache</Tag> </>}{r.input_preview || <span className="dim">{r.name}</span>}</>;
}

export function columns(list: Spec[], t: T, lang: Lang): ColumnDef<ListRow>[] {
  return list.map((c) => ({
    id: c.id,
    header: c.title ?? t(c.label),
    size: c.size,
    minSize: 48,
    meta: { right: c.right, grow: c.grow, sort: c.sort },
    cell: (x) => c.cell(x.row.original, lang),
  }));
}

const initial: VisibilityState = Object.fromEntries(specs.map((c) => [c.id, !c.hidden]));

export const shownPref = pref<VisibilityState>('traces.shown', initial, (v) => ({ ...initial, ...(typeof v === 'object' ? (v as VisibilityState) : {}) }));
export const orderPref = pref<string[]>('traces.order', [], (v) => (Array.isArray(v) ? v.map(String) : []));

const narrow = new Set(['start', 'input', 'cost']);

export function visible(shown: VisibilityState, width: number, list: Spec[]): VisibilityState {
  if (width >= 640) return shown;
  return Object.fromEntries(list.map((c) => [c.id, narrow.has(c.id)]));
}
