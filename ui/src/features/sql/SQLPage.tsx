import { ActionIcon, Button, Menu, Textarea } from '@mantine/core';
import { IconBook2, IconDownload, IconPlayerPlay } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { ApiError } from '@/shared/api/client';
import { runSQL, sqlSchemaQuery } from '@/shared/api/observe';
import { indexOfByte } from '@/shared/filter/clauses';
import { duration, int } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { Copy, ErrorNotice, Page, PageBar, Spacer, Tag } from '@/shared/ui/Bits';
import { save } from '@/shared/views/ExportMenu';
import { csv, lineOf } from './csv';
import { examples } from './examples';
import { Result } from './Result';
import { Schema } from './Schema';
import s from './SQL.module.css';

const rows = 1000;

/** Read-only SQL over the index. Ctrl+Enter runs; the statement is part of the address once it ran. */
export function SQLPage() {
  const t = useT();
  const lang = useLang();
  const search = useSearch({ from: '/app/sql' });
  const go = useNavigate({ from: '/sql' });
  const [text, setText] = useState(search.q ?? examples[0]!.sql);
  const [schema, setSchema] = useState(true);
  const box = useRef<HTMLTextAreaElement>(null);
  const tables = useQuery(sqlSchemaQuery);
  const run = useMutation({ mutationFn: (q: string) => runSQL(q, rows) });
  const { mutate } = run;
  useEffect(() => {
    if (search.q) mutate(search.q); // an address that names a statement shows its answer
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  const start = (q = text) => {
    if (q.trim() === '') return;
    void go({ search: { q }, replace: true });
    mutate(q);
  };
  const insert = (name: string) => {
    const el = box.current;
    const [a, b] = [el?.selectionStart ?? text.length, el?.selectionEnd ?? text.length];
    setText(text.slice(0, a) + name + text.slice(b));
    requestAnimationFrame(() => (el?.focus(), el?.setSelectionRange(a + name.length, a + name.length)));
  };
  const onKey = (e: React.KeyboardEvent) => {
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      start();
    }
  };
  const d = run.data;
  return (
    <Page>
      <PageBar title={t('nav.sql')}>
        <Button leftSection={<IconPlayerPlay size={14} />} loading={run.isPending} onClick={() => start()} title="Ctrl+Enter">{t('sql.run')}</Button>
        <Menu position="bottom-start">
          <Menu.Target><Button variant="default">{t('sql.examples')}</Button></Menu.Target>
          <Menu.Dropdown>
            {examples.map((x) => <Menu.Item key={x.title} onClick={() => (setText(x.sql), start(x.sql))}>{t(x.title)}</Menu.Item>)}
          </Menu.Dropdown>
        </Menu>
        <span className="dim2 num" role="status">
          {d && <>{t('rows.n', { n: d.rows.length, count: int(d.rows.length, lang) })} · {duration(d.took_ms)} {d.truncated && <Tag tone="warn" title={t('sql.truncated')}>{t('sql.cut')}</Tag>} {d.partial && <Tag tone="warn" title={t('partial.hint')}>{t('partial')}</Tag>}</>}
        </span>
        <Spacer />
        {d && d.rows.length > 0 && (
          <>
            <Copy text={() => csv(d.columns, d.rows)} label={t('sql.copy')} size={28} />
            <ActionIcon aria-label={t('sql.save')} title={t('sql.save')} onClick={() => save(new Blob([csv(d.columns, d.rows)], { type: 'text/csv' }), 'weir.csv')}><IconDownload size={16} /></ActionIcon>
          </>
        )}
        <ActionIcon aria-label={t('sql.schema')} title={t('sql.schema')} aria-pressed={schema} onClick={() => setSchema(!schema)} visibleFrom="sm"><IconBook2 size={16} /></ActionIcon>
      </PageBar>
      <div className={s.split}>
        <div className={s.main}>
          <Textarea ref={box} aria-label={t('sql.statement')} value={text} onChange={(e) => setText(e.currentTarget.value)} onKeyDown={onKey} autosize minRows={5} maxRows={16} spellCheck={false} autoCapitalize="off" classNames={{ input: s.editor }} />
          {run.isError && <Fault error={run.error} text={run.variables} onGo={(at) => (box.current?.focus(), box.current?.setSelectionRange(at, at))} />}
          {d && <Result answer={d} />}
          {!d && !run.isError && <p className={s.hint}>{t('sql.hint')}</p>}
        </div>
        {schema && <Schema tables={tables.data?.tables ?? []} onPick={insert} />}
      </div>
    </Page>
  );
}

/** What is wrong, and where: the line with the place marked. */
function Fault({ error, text, onGo }: { error: unknown; text: string; onGo: (at: number) => void }) {
  const t = useT();
  if (!(error instanceof ApiError) || error.position === undefined) return <ErrorNotice error={error} />;
  const at = indexOfByte(text, error.position);
  const { line, column } = lineOf(text, at);
  const whole = text.split('\n')[line - 1] ?? '';
  return (
    <div className={s.fault} role="alert">
      <div>{error.message} <button type="button" className={s.goto} onClick={() => onGo(at)}>{t('sql.at', { line, column })}</button></div>
      <pre className="mono">{whole.slice(0, column - 1)}<mark>{whole.slice(column - 1) || '␣'}</mark></pre>
    </div>
  );
}
