import { ActionIcon, TextInput } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconSearch, IconX } from '@tabler/icons-react';
import { useEffect, useRef, useState, type RefObject } from 'react';
import { useT } from '@/shared/i18n';
import { find } from './find';
import s from './Trace.module.css';

const panelID = 'span-panel';
const inline = 'span,b,i,em,strong,code,a,mark,del';

/** The hits in what an element shows, as ranges of its text. */
function ranges(root: Element, words: string): Range[] {
  const nodes: Text[] = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) nodes.push(walker.currentNode as Text);
  const block = (n: Text) => n.parentElement?.closest(`:not(${inline})`);
  return find(nodes.map((n) => ({ text: n.data, block: block(n) })), words).map((h) => {
    const r = document.createRange();
    r.setStart(nodes[h.from[0]]!, h.from[1]);
    r.setEnd(nodes[h.to[0]]!, h.to[1]);
    return r;
  });
}

function mark(all: Range[], current?: Range): void {
  if (!('highlights' in CSS)) return;
  CSS.highlights.set('weir-find', new Highlight(...all));
  CSS.highlights.set('weir-find-current', new Highlight(...(current ? [current] : [])));
}

/** Scrolls the middle of the panel to a hit, which may be deep inside one long text. */
function show(hit: Range): void {
  const panel = document.getElementById(panelID);
  if (!panel) return;
  const view = panel.getBoundingClientRect();
  panel.scrollTop += hit.getBoundingClientRect().top - view.top - view.height / 2;
}

/** The hits in the panel of the span as it is shown now, and going from one to the next. */
function usePanelHits(words: string, scope: string) {
  const [hits, setHits] = useState<Range[]>([]);
  const [at, setAt] = useState(0);
  const shown = useRef('');
  const current = hits[Math.min(at, hits.length - 1)];

  useEffect(() => setAt(0), [words, scope]);
  useEffect(() => {
    const panel = document.getElementById(panelID);
    if (!panel) return;
    let frame = 0;
    const again = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => setHits(ranges(panel, words)));
    };
    const watch = new MutationObserver(again);
    watch.observe(panel, { childList: true, subtree: true, characterData: true });
    again();
    return () => {
      watch.disconnect();
      cancelAnimationFrame(frame);
    };
  }, [words, scope]);

  useEffect(() => {
    mark(hits, current);
    const here = `${scope} ${at} ${words}`;
    if (current && shown.current !== here) {
      shown.current = here; // text that arrives later must not move the page again
      show(current);
    }
    return () => mark([]);
  }, [hits, current, scope, at, words]);

  const go = (d: number) => hits.length > 0 && setAt((Math.min(at, hits.length - 1) + d + hits.length) % hits.length);
  return { count: hits.length, at: Math.min(at, hits.length - 1), go };
}

export interface Steps {
  count: number;
  at: number; // -1: the selected step is no hit
  go: (d: number) => void;
}

interface Props {
  input: RefObject<HTMLInputElement | null>;
  scope: string;
  words: string;
  onWords: (w: string) => void;
  steps?: Steps; // of a trace of several spans
  onClose: () => void;
}

/** Finds words in the steps of a trace and in the panel of the one that is open, and marks them. */
export function FindBar({ input, scope, words, onWords, steps, onClose }: Props) {
  const t = useT();
  const panel = usePanelHits(words.trim(), scope);
  const asked = words.trim() !== '';
  useEffect(() => input.current?.focus(), [input]);
  const onKey = (e: React.KeyboardEvent) => {
    const d = e.shiftKey ? -1 : 1;
    if (e.key === 'Enter' && steps && !e.altKey) steps.go(d);
    else if (e.key === 'Enter') panel.go(d);
    else if (e.key === 'Escape') onClose();
    else return;
    e.preventDefault();
  };
  const label = t(steps ? 'trace.search' : 'trace.find');
  return (
    <div className={s.find} role="search">
      <TextInput ref={input} size="xs" aria-label={label} placeholder={label} title={t(steps ? 'trace.search.hint' : 'trace.find.hint')} leftSection={<IconSearch size={14} />} value={words} onChange={(e) => onWords(e.currentTarget.value)} onKeyDown={onKey} style={{ flex: 1 }} maw={420} />
      {steps && <Go hits={steps} asked={asked} label={t('trace.find.steps')} keys="Enter" />}
      <Go hits={panel} asked={asked} label={t('trace.find.here')} keys={steps ? 'Alt+Enter' : 'Enter'} />
      <ActionIcon aria-label={t('close')} title={`${t('close')} (Esc)`} onClick={onClose}>
        <IconX size={16} />
      </ActionIcon>
    </div>
  );
}

function Go({ hits, asked, label, keys }: { hits: Steps; asked: boolean; label: string; keys: string }) {
  const t = useT();
  const text = !asked ? '' : hits.count === 0 ? '0' : hits.at < 0 ? String(hits.count) : `${hits.at + 1}/${hits.count}`;
  return (
    <span className={s.go}>
      <span className="dim2">{label}</span>
      <span className="num" style={{ minWidth: 34, textAlign: 'right' }} aria-live="polite">{text}</span>
      <ActionIcon size={22} aria-label={`${t('trace.find.prev')}: ${label}`} title={t('trace.find.prev')} onClick={() => hits.go(-1)} disabled={hits.count === 0}>
        <IconChevronUp size={15} />
      </ActionIcon>
      <ActionIcon size={22} aria-label={`${t('trace.find.next')}: ${label}`} title={`${t('trace.find.next')} (${keys})`} onClick={() => hits.go(1)} disabled={hits.count === 0}>
        <IconChevronDown size={15} />
      </ActionIcon>
    </span>
  );
}
