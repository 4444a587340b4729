import { ActionIcon, Button } from '@mantine/core';
import { IconHistory, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useMayWrite } from '../api/useRole';
import { ago, full } from '../format/format';
import { useLang, useT, type Key } from '../i18n';
import { bits, ErrorNotice, Tag, Waiting } from '../ui/Bits';
import { deleteScore, historyQuery, scoresQuery, valueOf, type Score, type Target } from './api';
import s from './Notes.module.css';
import { ScoreForm } from './ScoreForm';

const sources: Record<string, Key> = { human: 'score.human', api: 'score.api', judge: 'score.judge' };

/** The scores of a span, trace or session: read, given, changed and taken back in place. */
export function Scores({ at, title }: { at: Target; title: string }) {
  const t = useT();
  const q = useQuery({ ...scoresQuery(at), retry: false });
  const [adding, setAdding] = useState(false);
  const mayWrite = useMayWrite();
  const items = q.data?.items ?? [];
  return (
    <section className={s.section} aria-label={title}>
      <div className={s.head}>
        <h2 className={s.h}>{title}</h2>
        {!adding && mayWrite && (
          <Button variant="default" leftSection={<IconPlus size={14} />} onClick={() => setAdding(true)}>
            {t('score.add')}
          </Button>
        )}
      </div>
      {adding && <ScoreForm at={at} onDone={() => setAdding(false)} />}
      {q.isPending ? <Waiting /> : q.isError ? <ErrorNotice error={q.error} /> : items.length === 0 && !adding && <p className={s.none}>{t('score.none')}</p>}
      {items.map((x) => (
        <Line key={x.id} score={x} at={at} />
      ))}
    </section>
  );
}

function Line({ score, at }: { score: Score; at: Target }) {
  const t = useT();
  const lang = useLang();
  const client = useQueryClient();
  const mayWrite = useMayWrite();
  const [mode, setMode] = useState<'' | 'edit' | 'history' | 'delete'>('');
  const [error, setError] = useState<unknown>();
  const swap = (m: typeof mode) => () => setMode(mode === m ? '' : m);
  const remove = () => deleteScore(client, score.id).catch(setError);
  const source = score.source ? sources[score.source] : undefined;
  if (mode === 'edit') return <ScoreForm at={at} score={score} onDone={() => setMode('')} />;
  return (
    <div className={s.item}>
      <div className={s.line}>
        <strong>{score.name}</strong>
        <Value score={score} />
        {score.span && !at.span && <Tag title={score.span}>{t('score.onspan')}</Tag>}
        {score.source && <Tag>{source ? t(source) : score.source}</Tag>}
        <span className="dim2 ellipsis">{score.author}</span>
        <span className="dim num" title={full(score.updated || score.created || '', lang)}>{score.updated || score.created ? ago(score.updated || score.created!, lang) : ''}</span>
        <span className={bits.spacer} />
        <ActionIcon size={24} aria-label={t('score.history')} title={t('score.history')} aria-pressed={mode === 'history'} onClick={swap('history')}><IconHistory size={14} /></ActionIcon>
        {mayWrite && (
          <>
            <ActionIcon size={24} aria-label={t('edit')} title={t('edit')} onClick={swap('edit')}><IconPencil size={14} /></ActionIcon>
            <ActionIcon size={24} aria-label={t('delete')} title={t('delete')} onClick={swap('delete')}><IconTrash size={14} /></ActionIcon>
          </>
        )}
      </div>
      {score.comment && <div className={s.text}>{score.comment}</div>}
      {mode === 'delete' && (
        <div className={s.line}>
          <span>{t('score.delete.ask', { name: score.name })}</span>
          <Button color="red" variant="light" onClick={() => void remove()}>{t('delete')}</Button>
          <Button variant="subtle" onClick={() => setMode('')}>{t('cancel')}</Button>
        </div>
      )}
      {error != null && <ErrorNotice error={error} />}
      {mode === 'history' && <History id={score.id} />}
    </div>
  );
}

function Value({ score }: { score: Score }) {
  const text = valueOf(score);
  if (score.type === 'boolean') return <Tag tone={text === '✓' ? 'ok' : 'err'}>{text}</Tag>;
  if (score.type === 'numeric') return <span className="num"><b>{text}</b></span>;
  return score.type === 'categorical' ? <Tag tone="accent">{text}</Tag> : <span>{text}</span>;
}

function History({ id }: { id: string }) {
  const t = useT();
  const lang = useLang();
  const q = useQuery({ ...historyQuery(id), retry: false });
  if (q.isPending) return <Waiting />;
  if (q.isError) return <ErrorNotice error={q.error} />;
  return (
    <ol className={s.history} aria-label={t('score.history')}>
      {q.data.items.map((x, i) => (
        <li key={i}>
          <span className="num dim2">{full(x.updated || x.created || '', lang)}</span> <Value score={x} /> <span className="dim2">{x.author}</span> {x.comment && <span className="dim2">{x.comment}</span>}
        </li>
      ))}
    </ol>
  );
}
