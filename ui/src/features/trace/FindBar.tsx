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
function reveal(hit: Range): void {
  const panel = document.getElementById(panelID);
  if (!panel) return;
  const view = panel.getBoundingClientRect();
  panel.scrollTop += hit.getBoundingClientRect().top - view.top - view.height / 2;
}

/** Finds words in the panel of the span as it is shown now, marks them and goes from one to the next. */
export function FindBar({ input, scope, onClose }: { input: RefObject<HTMLInputElement | null>; scope: string; onClose: () => void }) {
  const t = useT();
  const [words, setWords] = useState('');
  const [hits, setHits] = useState<Range[]>([]);
  const [at, setAt] = useState(0);
  const shown = useRef('');
  const current = hits[Math.min(at, hits.length - 1)];

  useEffect(() => {
    const panel = document.getElementById(panelID);
    if (!panel) return;
    let frame = 0;
    const again = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => setHits(ranges(panel, words.trim())));
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
      reveal(current);
    }
    return () => mark([]);
  }, [hits, current, scope, at, words]);

  useEffect(() => input.current?.focus(), [input]);

  const go = (d: number) => hits.length > 0 && setAt((Math.min(at, hits.length - 1) + d + hits.length) % hits.length);
  const onKey = (e: React.KeyboardEvent) => {
    if (e.key === 'Enter') go(e.shiftKey ? -1 : 1);
    else if (e.key === 'Escape') onClose();
    else return;
    e.preventDefault();
  };
  return (
    <div className={s.find} role="search">
      <TextInput ref={input} size="xs" aria-label={t('trace.find')} placeholder={t('trace.find')} title={t('trace.find.hint')} leftSection={<IconSearch size={14} />} value={words} onChange={(e) => (setAt(0), setWords(e.currentTarget.value))} onKeyDown={onKey} style={{ flex: 1 }} maw={360} />
      <span className="num dim2" aria-live="polite">{words.trim() === '' ? '' : hits.length === 0 ? t('none') : `${Math.min(at, hits.length - 1) + 1} / ${hits.length}`}</span>
      <ActionIcon aria-label={t('trace.find.prev')} title={`${t('trace.find.prev')} (⇧Enter)`} onClick={() => go(-1)} disabled={hits.length === 0}><IconChevronUp size={16} /></ActionIcon>
      <ActionIcon aria-label={t('trace.find.next')} title={`${t('trace.find.next')} (Enter)`} onClick={() => go(1)} disabled={hits.length === 0}><IconChevronDown size={16} /></ActionIcon>
      <ActionIcon aria-label={t('close')} title={`${t('close')} (Esc)`} onClick={onClose}><IconX size={16} /></ActionIcon>
    </div>
  );
}
