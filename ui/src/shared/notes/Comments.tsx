import { ActionIcon, Button, Textarea } from '@mantine/core';
import { IconPencil, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useMayWrite } from '../api/useRole';
import { Markdown } from '../chat/Markdown';
import { ago, full } from '../format/format';
import { useLang, useT } from '../i18n';
import { bits, ErrorNotice, Waiting } from '../ui/Bits';
import { commentsQuery, deleteComment, saveComment, type Comment, type Target } from './api';
import s from './Notes.module.css';

/** The thread of comments on a span, trace or session. */
export function Comments({ at, title }: { at: Target; title: string }) {
  const t = useT();
  const q = useQuery({ ...commentsQuery(at), retry: false });
  const mayWrite = useMayWrite();
  return (
    <section className={s.section} aria-label={title}>
      <h2 className={s.h}>{title}</h2>
      {q.isPending ? <Waiting /> : q.isError && <ErrorNotice error={q.error} />}
      {q.data?.items.map((c) => (
        <Line key={c.id} c={c} at={at} />
      ))}
      {q.data?.items.length === 0 && !mayWrite && <p className={s.none}>{t('comment.none')}</p>}
      {mayWrite && <Write at={at} />}
    </section>
  );
}

function Line({ c, at }: { c: Comment; at: Target }) {
  const t = useT();
  const lang = useLang();
  const client = useQueryClient();
  const mayWrite = useMayWrite();
  const [editing, setEditing] = useState(false);
  const [error, setError] = useState<unknown>();
  if (editing) return <Write at={at} comment={c} onDone={() => setEditing(false)} />;
  return (
    <div className={s.item}>
      <div className={s.line}>
        <strong>{c.author}</strong>
        <span className="dim num" title={full(c.created ?? '', lang)}>{c.created ? ago(c.created, lang) : ''}</span>
        {c.updated && c.created && c.updated !== c.created && <span className="dim">{t('comment.edited')}</span>}
        <span className={bits.spacer} />
        {mayWrite && (
          <>
            <ActionIcon size={24} aria-label={t('edit')} title={t('edit')} onClick={() => setEditing(true)}><IconPencil size={14} /></ActionIcon>
            <ActionIcon size={24} aria-label={t('delete')} title={t('delete')} onClick={() => void deleteComment(client, c.id).catch(setError)}><IconTrash size={14} /></ActionIcon>
          </>
        )}
      </div>
      <Markdown text={c.text} />
      {error != null && <ErrorNotice error={error} />}
    </div>
  );
}

function Write({ at, comment, onDone }: { at: Target; comment?: Comment; onDone?: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const [text, setText] = useState(comment?.text ?? '');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const send = async () => {
    setBusy(true);
    setError(undefined);
    await saveComment(client, at, text.trim(), comment?.id).then(() => (setText(''), onDone?.()), setError);
    setBusy(false);
  };
  const onKey = (e: React.KeyboardEvent) => {
    if (e.key !== 'Enter' || !(e.metaKey || e.ctrlKey) || text.trim() === '') return;
    e.preventDefault();
    void send();
  };
  return (
    <div className={s.form}>
      <Textarea aria-label={t('comment.write')} placeholder={t('comment.write')} value={text} onChange={(e) => setText(e.currentTarget.value)} onKeyDown={onKey} autosize minRows={2} maxRows={12} />
      {error != null && <ErrorNotice error={error} />}
      <div className={s.line}>
        <Button variant="default" disabled={text.trim() === ''} loading={busy} onClick={() => void send()} title="⌘Enter">{comment ? t('save') : t('comment.send')}</Button>
        {onDone && <Button variant="subtle" onClick={onDone}>{t('cancel')}</Button>}
      </div>
    </div>
  );
}
