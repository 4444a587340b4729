import { useMemo, useState, type ReactNode } from 'react';
import { useT } from '../i18n';
import { bits as s, Copy } from './Bits';

/** Text of code, folded after `fold` lines. Copying always takes the whole. */
export function Code({ text, title, fold = 20, wrap = false, copy = true, children }: {
  text: string;
  title?: ReactNode;
  fold?: number;
  wrap?: boolean;
  copy?: boolean;
  children?: (visible: string) => ReactNode;
}) {
  const t = useT();
  const [pieces, setPieces] = useState(0);
  const cut = useMemo(() => (pieces === 0 ? clip(text, fold) : clip(text, piece.lines * pieces, piece.chars * pieces)), [text, fold, pieces]);
  const shown = cut.text;
  const longer = cut.hidden > 0;
  return (
    <div className={s.code}>
      {title !== undefined && (
        <div className={s.codeHead}>
          <span className="ellipsis mono">{title}</span>
          <span className={s.spacer} />
          {copy && <Copy text={text} size={20} />}
        </div>
      )}
      {title === undefined && copy && (
        <span className={s.codeCopy}>
          <Copy text={text} size={20} />
        </span>
      )}
      <pre className={wrap ? s.wrap : undefined} tabIndex={0}>
        {children ? children(shown) : shown}
      </pre>
      {(longer || pieces > 0) && (
        <button type="button" className={s.more} aria-expanded={!longer} onClick={() => setPieces(longer ? pieces + 1 : 0)}>
          {longer ? t('unfold', { n: cut.hidden }) : t('fold')}
        </button>
      )}
    </div>
  );
}

const folded = 6000; // characters

/** What one press unfolds: a text of megabytes opens piece by piece, since drawing it whole would stop the page. */
const piece = { lines: 4000, chars: 300_000 };

/** The first lines of a text, and how many are left out; one endless line is cut too. */
export function clip(text: string, lines: number, maxChars = folded): { text: string; hidden: number } {
  let at = -1;
  for (let i = 0; i < lines; i++) {
    at = text.indexOf('\n', at + 1);
    if (at < 0) break;
  }
  let end = at < 0 ? text.length : at;
  if (end > maxChars && text.length > maxChars) end = maxChars;
  if (end >= text.length) return { text, hidden: 0 };
  let hidden = 1;
  for (let i = text.indexOf('\n', end + 1); i >= 0; i = text.indexOf('\n', i + 1)) hidden++;
  return { text: text.slice(0, end), hidden };
}
