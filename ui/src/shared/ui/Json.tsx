import { useMemo, useState } from 'react';
import { bytes } from '../format/format';
import { useT } from '../i18n';
import { bits as s } from './Bits';

const chunk = 100;
const longText = 600;

/** JSON as a tree. Children exist only while open, and long lists open in chunks, so large bodies cost nothing unseen. */
export function Json({ value, open = 2 }: { value: unknown; open?: number }) {
  return (
    <div className={s.json} role="tree">
      <Node value={value} depth={0} open={open} />
    </div>
  );
}

function Node({ name, value, depth, open }: { name?: string; value: unknown; depth: number; open: number }) {
  const isTree = typeof value === 'object' && value !== null;
  return isTree ? <Tree name={name} value={value} depth={depth} open={open} /> : <Leaf name={name} value={value} depth={depth} />;
}

function Leaf({ name, value, depth }: { name?: string; value: unknown; depth: number }) {
  return (
    <div className={s.jrow} style={{ '--depth': depth } as React.CSSProperties} role="treeitem" aria-selected={false}>
      <span className={s.jtoggle} aria-hidden />
      {name !== undefined && <span className={s.jkey}>{name}:</span>}
      <Scalar value={value} />
    </div>
  );
}

function Scalar({ value }: { value: unknown }) {
  const t = useT();
  const [all, setAll] = useState(false);
  if (typeof value === 'number') return <span className={s.jnum}>{String(value)}</span>;
  if (typeof value !== 'string') return <span className={s.jatom}>{String(value)}</span>;
  const cut = !all && value.length > longText;
  return (
    <span className={s.jstr}>
      {JSON.stringify(cut ? value.slice(0, longText) : value)}
      {cut && (
        <button type="button" className={s.jlink} onClick={() => setAll(true)}>
          {' '}
          {t('json.more', { size: bytes(value.length - longText) })}
        </button>
      )}
    </span>
  );
}

function Tree({ name, value, depth, open }: { name?: string; value: object; depth: number; open: number }) {
  const t = useT();
  const list = Array.isArray(value);
  const entries = useMemo(() => Object.entries(value as Record<string, unknown>), [value]);
  const [isOpen, setOpen] = useState(depth < open && entries.length <= 200);
  const [shown, setShown] = useState(chunk);
  const [a, b] = list ? ['[', ']'] : ['{', '}'];
  const label = `${a} ${list ? entries.length : preview(entries)} ${b}`;
  return (
    <div role="treeitem" aria-expanded={isOpen} aria-selected={false}>
      <div className={s.jrow} style={{ '--depth': depth } as React.CSSProperties}>
        <button type="button" className={s.jtoggle} aria-label={name ?? (list ? 'array' : 'object')} onClick={() => setOpen(!isOpen)}>
          {isOpen ? '▾' : '▸'}
        </button>
        {name !== undefined && <span className={s.jkey}>{name}:</span>}
        <span className="dim ellipsis">{isOpen ? a : label}</span>
      </div>
      {isOpen && (
        <div role="group">
          {entries.slice(0, shown).map(([k, v]) => (
            <Node key={k} name={k} value={v} depth={depth + 1} open={open} />
          ))}
          {entries.length > shown && (
            <div className={s.jrow} style={{ '--depth': depth + 1 } as React.CSSProperties}>
              <button type="button" className={s.jlink} onClick={() => setShown(shown + chunk)}>
                {t('json.rest', { n: entries.length - shown })}
              </button>
            </div>
          )}
          <div className={s.jrow} style={{ '--depth': depth } as React.CSSProperties}>
            <span className={s.jtoggle} />
            <span className="dim">{b}</span>
          </div>
        </div>
      )}
    </div>
  );
}

function preview(entries: [string, unknown][]): string {
  const names = entries.slice(0, 4).map(([k]) => k);
  return names.join(', ') + (entries.length > 4 ? ', …' : '');
}
