import { Button } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { publicURL } from '../api/base';
import { connectQuery, modelsQuery } from '../api/queries';
import { useT } from '../i18n';
import { KeyDialog } from '../keydialog/KeyDialog';
import { Code } from '../ui/Code';
import { placeholderKey, snippets } from './snippets';
import { traceSnippets } from './traces';
import s from './Snippets.module.css';

/** Snippets filled with this server's address, a model it has, and a key once one is made. */
export function Snippets({ secret, only, group = 'all' }: { secret?: string; only?: string[]; group?: 'all' | 'calls' | 'traces' }) {
  const t = useT();
  const connect = useQuery(connectQuery);
  const models = useQuery(modelsQuery);
  const [made, setMade] = useState(secret);
  const [making, setMaking] = useState(false);
  const base = (connect.data?.base_url || publicURL()).replace(/\/$/, '');
  const model = connect.data?.example_model || models.data?.items.find((m) => !m.pattern)?.name || 'claude-sonnet';
  const where = { base, key: made ?? placeholderKey, model };
  const all = [...(group === 'traces' ? [] : snippets(where)), ...(group === 'calls' ? [] : traceSnippets(where))].filter((x) => !only || only.includes(x.id));
  const [id, setId] = useState(all[0]!.id);
  const now = all.find((x) => x.id === id) ?? all[0]!;
  const tabs = useRef<HTMLDivElement>(null);
  const onKey = (e: React.KeyboardEvent) => {
    const d = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (d === 0) return;
    const next = all[(all.indexOf(now) + d + all.length) % all.length]!;
    setId(next.id);
    tabs.current?.querySelector<HTMLElement>(`[data-id="${next.id}"]`)?.focus();
  };
  return (
    <div className={s.wrap}>
      <div className={s.tabs} role="tablist" aria-label={t('nav.connect')} ref={tabs} onKeyDown={onKey}>
        {all.map((x) => (
          <button key={x.id} type="button" role="tab" data-id={x.id} className={s.tab} aria-selected={x === now} tabIndex={x === now ? 0 : -1} onClick={() => setId(x.id)}>
            {x.name}
          </button>
        ))}
      </div>
      <div className={s.files} role="tabpanel" aria-label={now.name}>
        {now.note && <div className="dim2">{t(now.note)}</div>}
        {now.files.map((f) => (
          <Code key={f.title} title={f.title} text={f.text} fold={40} />
        ))}
      </div>
      {made === undefined && (
        <div>
          <Button variant="light" leftSection={<IconKey size={14} />} onClick={() => setMaking(true)}>
            {t('key.create')}
          </Button>
        </div>
      )}
      {making && <KeyDialog onClose={() => setMaking(false)} onMade={setMade} />}
    </div>
  );
}
