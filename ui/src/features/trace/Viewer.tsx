import { lazy, Suspense, useCallback, useRef, useState, type ReactNode } from 'react';
import { useHotkeys, type Hotkeys } from '@/shared/keys/hotkeys';
import { ErrorNotice, Waiting } from '@/shared/ui/Bits';
import { pref } from '@/shared/theme/prefs';
import { Split, splitPref } from '@/shared/ui/Split';
import type { Span } from '@/shared/api/types';
import { FindBar } from './FindBar';
import { nextError, opening, type Forest } from './forest';
import type { Zoom } from './Minimap';
import { around } from './rows';
import { views, type Tab, type TraceSearch, type View } from './search';
import type { Source } from './source';
import { SpanView } from './SpanView';
import { Toolbar } from './Toolbar';
import { TreeList } from './TreeList';
import { useFound } from './useFound';
import { useSpan } from './useTrace';
import { useTree, type TreeState } from './useTree';

const GraphView = lazy(() => import('./GraphView').then((m) => ({ default: m.GraphView })));

const widths = { tree: splitPref('trace', 38), timeline: splitPref('trace.timeline', 52), graph: splitPref('trace.graph', 46) };
const viewPref = pref<View>('trace.view', 'tree', (v) => views.find((x) => x === v) ?? 'tree');
const noHits: ReadonlySet<number> = new Set();

interface Props {
  source: Source;
  f: Forest;
  spans: Span[] | undefined;
  big: boolean;
  search: TraceSearch;
  onSearch: (s: Partial<TraceSearch>) => void;
  keys?: (span: Span | undefined) => Hotkeys;
  bar: (span: Span | undefined, nextFailed: () => void, find: () => void) => ReactNode;
}

/** A trace: the steps on the left, the selected one on the right. Its owner tells where it is read from and what can be done. */
export function Viewer({ source, f, spans, big, search, onSearch, keys, bar }: Props) {
  const [finding, setFinding] = useState(false);
  const [words, setWords] = useState('');
  const [zoom, setZoom] = useState<Zoom>();
  const input = useRef<HTMLInputElement>(null);
  const [start] = useState(() => f.c.ids[opening(f)] ?? ''); // stays while the trace grows
  const selected = f.index.get(search.span ?? start) ?? f.index.get(start) ?? opening(f);
  const id = f.c.ids[selected];
  const tree = useTree(f, selected);
  const { span, error } = useSpan(source, spans, big, id);
  const scope = `${span?.id ?? ''} ${search.tab ?? ''}`;
  const found = useFound(f, source, finding ? words : '', scope);
  const usual = viewPref.use();
  const view: View = search.view ?? usual;
  const setView = (v: View) => (viewPref.set(v), onSearch({ view: v }));
  const several = f.c.n > 1;

  const select = useCallback((i: number) => i >= 0 && onSearch({ span: f.c.ids[i] }), [f, onSearch]);
  const find = () => {
    setFinding(true);
    requestAnimationFrame(() => input.current?.select());
  };
  const close = () => (setFinding(false), setWords(''));
  const nextFailed = () => select(nextError(f, selected));
  const zoomTo = () => setZoom(zoom || selected < 0 ? undefined : around(tree.p, f.kids[selected]!.length > 0 ? selected : Math.max(f.parent[selected]!, 0)));
  useHotkeys({ ...treeKeys(tree, selected, select), '/': find, Escape: () => (finding ? close() : false), e: nextFailed, z: () => (view === 'timeline' ? zoomTo() : false), ...keys?.(span) });

  const hits = finding && words.trim() !== '' ? found : noHits;
  const right = (
    <>
      {span ? <SpanView key={span.id} span={span} tab={search.tab} onTab={(tab: Tab) => onSearch({ tab })} /> : error ? <ErrorNotice error={error} /> : <Waiting />}
    </>
  );
  return (
    <>
      {bar(span, nextFailed, find)}
      {finding && <FindBar input={input} scope={scope} words={words} onWords={setWords} steps={several ? stepsOf(tree, hits, selected, select) : undefined} onClose={close} />}
      {several ? (
        <Split
          key={view}
          width={widths[view]}
          left={
            <>
              <Toolbar tree={tree} view={view} onView={setView} zoomed={zoom !== undefined} onZoom={zoomTo} />
              {view === 'graph' ? <Suspense fallback={<Waiting />}><GraphView f={f} selected={selected} onSelect={select} /></Suspense> : <TreeList tree={tree} lanes={view === 'timeline'} selected={selected} hits={hits} zoom={view === 'timeline' ? zoom : undefined} onZoom={setZoom} onSelect={select} />}
            </>
          }
          right={right}
        />
      ) : (
        right
      )}
    </>
  );
}

function treeKeys(tree: TreeState, selected: number, select: (i: number) => void): Hotkeys {
  const { p, r } = tree;
  const inTree = (e: KeyboardEvent) => !(e.target instanceof HTMLElement && e.target.closest('[role="tablist"],[role="tabpanel"],[role="menu"],[role="radiogroup"],[role="separator"]'));
  const at = r.at.get(selected) ?? 0;
  const step = (d: number) => (e: KeyboardEvent) => {
    if (!inTree(e)) return false;
    let i = at + d;
    while (i >= 0 && i < r.list.length && r.list[i]! >= p.f.c.n) {
      // a folded loop is passed by opening it, from whichever side it is reached
      if (!tree.open(r.list[i]!)) return void select(d > 0 ? p.loops[r.list[i]! - p.f.c.n]!.members[0]! : p.loops[r.list[i]! - p.f.c.n]!.members.at(-1)!);
      i += d;
    }
    if (i >= 0 && i < r.list.length) select(r.list[i]!);
    return undefined;
  };
  const left = (e: KeyboardEvent) => {
    if (!inTree(e)) return false;
    const loop = p.loopOf[selected]!;
    if (p.below.has(selected) && tree.open(selected)) return void tree.toggle(selected);
    if (loop >= 0) tree.toggle(p.f.c.n + loop);
    if (p.f.parent[selected]! >= 0) select(p.f.parent[selected]!);
    return undefined;
  };
  const right = (e: KeyboardEvent) => {
    if (!inTree(e) || !p.below.has(selected)) return false;
    if (!tree.open(selected)) tree.toggle(selected);
    else return step(1)(e);
    return undefined;
  };
  return { ArrowDown: step(1), ArrowUp: step(-1), j: step(1), k: step(-1), ArrowLeft: left, ArrowRight: right };
}

function stepsOf(tree: TreeState, hits: ReadonlySet<number>, selected: number, select: (i: number) => void) {
  const order: number[] = [];
  let before = 0; // hits above the selected step
  let here = -1;
  for (const i of tree.p.f.order) {
    if (i === selected) [before, here] = [order.length, hits.has(i) ? order.length : -1];
    if (hits.has(i)) order.push(i);
  }
  const n = order.length;
  const go = (d: number) => n > 0 && select(order[((d > 0 && here < 0 ? before : before + d) + n) % n]!);
  return { count: n, at: here, go };
}
