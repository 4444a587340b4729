import { memo, useMemo } from 'react';
import { Code } from '../ui/Code';
import s from './Chat.module.css';
import { markdown, type Block, type Inline } from './markdown';

export const Markdown = memo(function Markdown({ text }: { text: string }) {
  const blocks = useMemo(() => markdown(text), [text]);
  return (
    <div className={s.md}>
      {blocks.map((b, i) => (
        <BlockView key={i} b={b} />
      ))}
    </div>
  );
});

function Inlines({ v }: { v: Inline[] }) {
  return v.map((x, i) => {
    switch (x.t) {
      case 'code':
        return <code key={i}>{x.v}</code>;
      case 'bold':
        return <strong key={i}>{x.v}</strong>;
      case 'em':
        return <em key={i}>{x.v}</em>;
      case 'link':
        return (
          <a key={i} href={x.href} target="_blank" rel="noreferrer noopener">
            {x.v}
          </a>
        );
      default:
        return x.v;
    }
  });
}

function Lines({ v }: { v: Inline[][] }) {
  return v.map((line, i) => (
    <span key={i}>
      {i > 0 && <br />}
      <Inlines v={line} />
    </span>
  ));
}

function BlockView({ b }: { b: Block }) {
  switch (b.t) {
    case 'p':
      return <p><Lines v={b.v} /></p>;
    case 'h':
      return <h4><Inlines v={b.v} /></h4>;
    case 'code':
      return <Code text={b.v} title={b.lang || undefined} fold={30} />;
    case 'quote':
      return <blockquote><Lines v={b.v} /></blockquote>;
    case 'rule':
      return <hr />;
    case 'table':
      return (
        <table>
          <tbody>
            {b.rows.map((r, i) => (
              <tr key={i}>{r.map((c, j) => <td key={j}><Inlines v={c} /></td>)}</tr>
            ))}
          </tbody>
        </table>
      );
    case 'list': {
      const items = b.items.map((x, i) => (
        <li key={i} style={{ '--depth': x.depth } as React.CSSProperties} value={b.ordered && /\d/.test(x.label) ? parseInt(x.label) : undefined}>
          <Inlines v={x.v} />
        </li>
      ));
      return b.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
  }
}
