import { memo, useMemo, useState } from 'react';
import { int } from '@/shared/format/format';
import { useLang, useT, type Key } from '@/shared/i18n';
import { Tag } from '@/shared/ui/Bits';
import { Code } from '@/shared/ui/Code';
import s from './Diff.module.css';
import { linesOf, sideOf, textOf, wordsOf, type Word } from './items';
import type { Change, Row } from './types';

const names: Record<string, Key> = { message: 'diff.what.message', arguments: 'diff.what.arguments', result: 'diff.what.result', output: 'diff.what.output', params: 'diff.what.params', model: 'diff.what.model', status: 'diff.what.status', error: 'diff.what.error' };

const first = 12;

/** What differs within a step, in the order of the step. */
export const Changes = memo(function Changes({ row, again }: { row: Row; again: ReadonlySet<Change> }) {
  const t = useT();
  const [all, setAll] = useState(false);
  const [both, setBoth] = useState(false);
  const every = row.parts ?? [];
  const parts = both ? every : every.filter((c) => !again.has(c));
  const before = every.length - parts.length;
  if (every.length === 0 && !row.unread) return null;
  return (
    <div className={s.parts} style={{ '--depth': Math.min(row.depth, 16) } as React.CSSProperties}>
      {(all ? parts : parts.slice(0, first)).map((p, i) => (
        <Part key={i} c={p} />
      ))}
      {!all && parts.length > first && (
        <button type="button" className={s.more} onClick={() => setAll(true)}>{t('diff.more', { n: parts.length - first })}</button>
      )}
      {before > 0 && (
        <button type="button" className={s.more} onClick={() => setBoth(true)}>{t('diff.again', { n: before })}</button>
      )}
      {row.unread && <p className="dim2">{t('diff.unread')}</p>}
    </div>
  );
});

function Part({ c }: { c: Change }) {
  const t = useT();
  const name = names[c.what];
  return (
    <section className={s.part}>
      <header className={s.partHead}>
        <strong>{name ? t(name) : c.what}</strong>
        {c.role && <Tag>{c.role}</Tag>}
        <span className="mono dim ellipsis" title={c.path}>{c.path}</span>
      </header>
      <Sides c={c} />
    </section>
  );
}

function Sides({ c }: { c: Change }) {
  const words = useMemo(() => wordsOf(c), [c]);
  const lines = useMemo(() => (words || c.op !== 'changed' ? undefined : linesOf(c)), [c, words]);
  if (c.op === 'added') return <div className={s.two}><span /><Text text={textOf(c.after)} mark="+" /></div>;
  if (c.op === 'removed') return <div className={s.two}><Text text={textOf(c.before)} mark="-" /><span /></div>;
  if (words) return <div className={s.two}><Words words={sideOf(words, 'a')} /><Words words={sideOf(words, 'b')} /></div>;
  if (lines) {
    return (
      <div className={s.two}>
        <Text text={lines.filter((l) => l.mark !== '+').map((l) => `${l.mark} ${l.text}`).join('\n')} marked />
        <Text text={lines.filter((l) => l.mark !== '-').map((l) => `${l.mark} ${l.text}`).join('\n')} marked />
      </div>
    );
  }
  return <div className={s.two}><span className={s.value} data-mark="-">{textOf(c.before) || '–'}</span><span className={s.value} data-mark="+">{textOf(c.after) || '–'}</span></div>;
}

/** Text that is on one side only, or lines that carry their own marks. */
function Text({ text, mark, marked }: { text: string; mark?: '+' | '-'; marked?: boolean }) {
  if (!marked) return <div className={s.only} data-mark={mark}><Code text={text} wrap fold={14} /></div>;
  return (
    <Code text={text} fold={30} copy={false}>
      {(visible) => visible.split('\n').map((l, i) => <span key={i} className={s.line} data-mark={l[0] === ' ' ? undefined : l[0]}>{l.slice(2) || ' '}</span>)}
    </Code>
  );
}

const long = 320; // equal characters shown before they are left out

function Words({ words }: { words: Word[] }) {
  const t = useT();
  const lang = useLang();
  const [all, setAll] = useState(false);
  return (
    <div className={s.words}>
      {words.map(([op, text], i) => {
        if (op === '…') return <span key={i} className={s.gap}>{t('diff.skipped', { n: int(Number(text), lang) })}</span>;
        if (op === '+') return <ins key={i}>{text}</ins>;
        if (op === '-') return <del key={i}>{text}</del>;
        if (all || text.length <= long) return <span key={i}>{text}</span>;
        const half = long / 2 - 20;
        return (
          <span key={i}>
            {i > 0 && text.slice(0, half)}
            <button type="button" className={s.gap} onClick={() => setAll(true)}>{t('diff.skipped', { n: int(text.length - (i > 0 ? half : 0) - (i < words.length - 1 ? half : 0), lang) })}</button>
            {i < words.length - 1 && text.slice(-half)}
          </span>
        );
      })}
      {words.length === 0 && <span className="dim">–</span>}
    </div>
  );
}
