import { Autocomplete, Button, NumberInput, Select, SegmentedControl, Textarea, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useT, type Key } from '../i18n';
import { ErrorNotice } from '../ui/Bits';
import { saveScore, scoreNamesQuery, type Score, type ScoreType, type Target } from './api';
import s from './Notes.module.css';

const types: { value: ScoreType; label: Key }[] = [
  { value: 'numeric', label: 'score.numeric' },
  { value: 'boolean', label: 'score.boolean' },
  { value: 'categorical', label: 'score.categorical' },
  { value: 'text', label: 'score.text' },
];
const typeOf = (v: string | undefined): ScoreType => types.find((t) => t.value === v)?.value ?? 'numeric';

function initial(score: Score | undefined): string {
  if (!score) return '';
  if (score.type === 'boolean') return String(score.value === true || score.value === 1 || score.text === 'true');
  return score.text || (score.value == null ? '' : String(score.value));
}

/** Gives a score, or changes one, whose name and type then stay. A name that was used before brings its type along. */
export function ScoreForm({ at, score, onDone }: { at: Target; score?: Score; onDone: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const names = useQuery({ ...scoreNamesQuery, retry: false }).data?.names ?? [];
  const [name, setName] = useState(score?.name ?? '');
  const [picked, setPicked] = useState<ScoreType | undefined>(score && typeOf(score.type));
  const [value, setValue] = useState(initial(score));
  const [comment, setComment] = useState(score?.comment ?? '');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const known = names.find((n) => n.name === name);
  const type = picked ?? typeOf(known?.type);
  const worth = type === 'boolean' ? value !== 'false' : type === 'numeric' ? Number(value) : value;
  const ready = name.trim() !== '' && (type === 'boolean' || value !== '') && !(type === 'numeric' && Number.isNaN(Number(value)));
  const save = async (e: React.FormEvent) => {
    e.preventDefault();
    setBusy(true);
    setError(undefined);
    await saveScore(client, at, { name: name.trim(), type, value: worth, comment: comment.trim() }, score?.id).then(onDone, setError);
    setBusy(false);
  };
  return (
    <form className={s.form} onSubmit={(e) => void save(e)}>
      <div className={s.fields}>
        <Autocomplete label={t('score.name')} size="xs" value={name} onChange={setName} data={names.map((n) => n.name)} disabled={!!score} data-autofocus autoFocus={!score} comboboxProps={{ transitionProps: { duration: 0 } }} />
        <Select label={t('score.type')} value={type} onChange={(v) => (setPicked(typeOf(v ?? undefined)), setValue(''))} data={types.map((x) => ({ value: x.value, label: t(x.label) }))} allowDeselect={false} disabled={!!score} />
        {type === 'numeric' && <NumberInput label={t('score.value')} value={value} onChange={(v) => setValue(String(v))} />}
        {type === 'boolean' && (
          <div>
            <div className={s.label} id="score-bool">{t('score.value')}</div>
            <SegmentedControl aria-labelledby="score-bool" value={value === 'false' ? 'false' : 'true'} onChange={setValue} data={[{ value: 'true', label: t('yes') }, { value: 'false', label: t('no') }]} />
          </div>
        )}
        {type === 'categorical' && <Autocomplete label={t('score.value')} size="xs" value={value} onChange={setValue} data={known?.categories ?? []} />}
        {type === 'text' && <TextInput label={t('score.value')} value={value} onChange={(e) => setValue(e.currentTarget.value)} />}
      </div>
      <Textarea label={t('score.comment')} value={comment} onChange={(e) => setComment(e.currentTarget.value)} autosize minRows={1} maxRows={6} />
      {error != null && <ErrorNotice error={error} />}
      <div className={s.line}>
        <Button type="submit" disabled={!ready} loading={busy}>{t('save')}</Button>
        <Button variant="subtle" onClick={onDone}>{t('cancel')}</Button>
      </div>
    </form>
  );
}
