import { useState } from 'react';
import type { SQLSchema } from '@/shared/api/observe';
import { useT } from '@/shared/i18n';
import s from './SQL.module.css';

/** Tables and columns that may be read; a name is put into the statement. */
export function Schema({ tables, onPick }: { tables: SQLSchema['tables']; onPick: (name: string) => void }) {
  const t = useT();
  const [needle, setNeedle] = useState('');
  const fits = (x: { name: string; doc: string }) => `${x.name} ${x.doc}`.toLowerCase().includes(needle.toLowerCase());
  return (
    <aside className={s.schema} aria-label={t('sql.schema')} tabIndex={0}>
      <input className={s.search} value={needle} onChange={(e) => setNeedle(e.currentTarget.value)} placeholder={t('sql.search')} aria-label={t('sql.search')} />
      {tables.map((x) => (
        <section key={x.name}>
          <h2><button type="button" onClick={() => onPick(x.name)}>{x.name}</button></h2>
          <p>{x.doc}</p>
          <ul>
            {x.columns.filter(fits).map((c) => (
              <li key={c.name}>
                <button type="button" title={c.doc} onClick={() => onPick(c.name)}>
                  <span className="ellipsis">{c.name}</span>
                  <span className={s.type}>{c.type.toLowerCase()}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </aside>
  );
}
