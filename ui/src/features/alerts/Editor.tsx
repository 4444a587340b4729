import { Button, Group, Modal, NumberInput, SegmentedControl, Select, Switch, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { ApiError, json } from '@/shared/api/client';
import { previewQuery, type Alert } from '@/shared/api/observe';
import { fieldsQuery } from '@/shared/api/queries';
import { Plot } from '@/shared/charts/Plot';
import { FilterBar } from '@/shared/filter/FilterBar';
import { useT } from '@/shared/i18n';
import { scoreNamesQuery } from '@/shared/notes/api';
import { ErrorNotice, Tag } from '@/shared/ui/Bits';
import s from './Alerts.module.css';
import { Channels } from './Channels';
import { body, draftOf, fresh, problem, thresholdOf, typed, type Draft } from './draft';
import { factor, measureOf, measures, nameOf, scoreMeasure, show } from './measures';

const windows = ['5m', '15m', '1h', '1d'];
const everies = ['1m', '5m', '15m', '1h'];
const cooldowns = ['5m', '15m', '1h', '6h', '1d'];
const wrongs = { name: 'alert.wrong.name', threshold: 'alert.wrong.threshold', channel: 'alert.wrong.channel' } as const;
const withOwn = (list: string[], v: string) => (list.includes(v) ? list : [...list, v]);
const units = { share: '%', ms: 'ms', usd: 'USD', count: '', score: '' };

/** Makes or changes an alert. What it would have seen is drawn while it is written. */
export function Editor({ alert, filter, measure, onClose }: { alert?: Alert; filter?: string; measure?: string; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const [d, setDraft] = useState<Draft>(() => (alert ? draftOf(alert) : fresh(filter, measure)));
  const set = (x: Partial<Draft>) => setDraft((old) => ({ ...old, ...x }));
  const fields = useQuery(fieldsQuery).data?.fields ?? [];
  const scores = useQuery({ ...scoreNamesQuery, retry: false }).data?.names ?? [];
  const [asked] = useDebouncedValue(useMemo(() => body(d, false), [d]), 300);
  const preview = useQuery(previewQuery(asked));
  const save = useMutation({
    mutationFn: () => json<Alert>(alert ? 'PATCH' : 'POST', alert ? `/alerts/${encodeURIComponent(alert.id)}` : '/alerts', { body: body(d) }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['alerts'] });
      onClose();
    },
  });
  const choose = (m: string) => set({ measure: m, threshold: typed(m, measureOf(m).start), op: m === 'cache_hit_rate' ? '<' : d.op });
  const list = [...measures.map((m) => m.id), ...scores.filter((x) => x.type === 'numeric' || x.type === 'boolean').map((x) => scoreMeasure(x.name))];
  const wrong = problem(d);
  const p = preview.data;
  return (
    <Modal opened onClose={onClose} title={t(alert ? 'alert.edit' : 'alert.new')} size={720} closeButtonProps={{ 'aria-label': t('close') }}>
      <form className={s.form} onSubmit={(e) => (e.preventDefault(), !wrong && save.mutate())}>
        <TextInput label={t('c.name')} value={d.name} onChange={(e) => set({ name: e.currentTarget.value })} required data-autofocus={!alert || undefined} />
        <div>
          <div className={s.label}>{t('alert.over')}</div>
          <FilterBar value={d.filter} onApply={(f) => set({ filter: f })} scope={{}} error={preview.error} />
        </div>
        <div className={s.line}>
          <Select label={t('alert.measure')} data={withOwn(list, d.measure).map((m) => ({ value: m, label: nameOf(m, t) }))} value={d.measure} onChange={(v) => v && choose(v)} allowDeselect={false} searchable style={{ flex: '2 1 160px' }} />
          <div>
            <div className={s.label} id="alert-op">{t('alert.op')}</div>
            <SegmentedControl aria-labelledby="alert-op" value={d.op} onChange={(v) => set({ op: v as '>' | '<' })} data={['>', '<']} />
          </div>
          <NumberInput label={t('alert.threshold')} value={d.threshold} onChange={(v) => set({ threshold: String(v) })} min={0} step={factor(d.measure) === 100 ? 1 : undefined} suffix={units[measureOf(d.measure).unit] && ` ${units[measureOf(d.measure).unit]}`} style={{ flex: '1 1 110px' }} />
          <Select label={t('alert.window')} data={withOwn(windows, d.window)} value={d.window} onChange={(v) => v && set({ window: v })} allowDeselect={false} style={{ flex: '1 1 80px' }} />
        </div>
        <div>
          <Plot points={p?.points ?? []} unit={(v) => show(d.measure, v)} threshold={thresholdOf(d)} above={d.op === '>'} label={t('alert.preview')} height={150} />
          <div className={s.now} role="status">
            {p && <>{t('alert.now')} <strong className="num">{show(d.measure, p.value)}</strong> {p.group && <span className="dim2">{p.group}</span>} {p.would_fire ? <Tag tone="err">{t('alert.wouldfire')}</Tag> : <Tag tone="ok">{t('alert.wouldnot')}</Tag>} <span className="dim2">{p.reason}</span></>}
          </div>
          {preview.isError && !(preview.error instanceof ApiError && preview.error.field === 'filter') && <ErrorNotice error={preview.error} />}
        </div>
        <div className={s.line}>
          <Select label={t('alert.group')} description={t('alert.group.hint')} data={fields.filter((f) => f.groupable).map((f) => f.name)} value={d.group_by || null} onChange={(v) => set({ group_by: v ?? '' })} clearable searchable style={{ flex: '1 1 160px' }} />
          <NumberInput label={t('alert.min')} description={t('alert.min.hint')} value={d.min_calls} onChange={(v) => set({ min_calls: Math.max(0, Number(v) || 0) })} min={0} style={{ flex: '1 1 160px' }} />
        </div>
        <div className={s.line}>
          <Select label={t('alert.every')} data={withOwn(everies, d.every)} value={d.every} onChange={(v) => v && set({ every: v })} allowDeselect={false} style={{ flex: '1 1 80px' }} />
          <Select label={t('alert.cooldown')} data={withOwn(cooldowns, d.cooldown)} value={d.cooldown} onChange={(v) => v && set({ cooldown: v })} allowDeselect={false} style={{ flex: '1 1 80px' }} />
          <Select label={t('alert.silence')} data={[{ value: 'ok', label: t('alert.silence.ok') }, { value: 'alert', label: t('alert.silence.alert') }]} value={d.no_data} onChange={(v) => v && set({ no_data: v as 'ok' | 'alert' })} allowDeselect={false} style={{ flex: '2 1 160px' }} />
        </div>
        <Channels items={d.channels} onChange={(channels) => set({ channels })} />
        <Switch label={t('alert.enabled')} checked={d.enabled} onChange={(e) => set({ enabled: e.currentTarget.checked })} />
        {save.isError && <ErrorNotice error={save.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" loading={save.isPending} disabled={wrong !== undefined} title={wrong && t(wrongs[wrong])}>{t('save')}</Button>
        </Group>
      </form>
    </Modal>
  );
}
