import { Button, Group, Select, Textarea } from '@mantine/core';
import { IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { traceQuery } from '@/shared/api/queries';
import type { Model } from '@/shared/api/types';
import { Markdown } from '@/shared/chat/Markdown';
import { duration, int, money } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { ErrorNotice } from '@/shared/ui/Bits';
import s from './Models.module.css';
import { callModel, type Result } from './stream';

const maxTokens = 1024;

export function TryBox({ models, model, onModel }: { models: Model[]; model: string; onModel: (m: string) => void }) {
  const t = useT();
  const names = models.filter((m) => !m.pattern).map((m) => m.name);
  const chosen = model || names[0] || '';
  const [prompt, setPrompt] = useState(() => t('try.prompt'));
  const [result, setResult] = useState<Result>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const abort = useRef<AbortController | null>(null);
  const run = async () => {
    if (busy || !chosen) return;
    const a = (abort.current = new AbortController());
    setBusy(true);
    setError(undefined);
    setResult(undefined);
    try {
      setResult(await callModel(chosen, prompt, maxTokens, a.signal, setResult));
    } catch (e) {
      if (!a.signal.aborted) setError(e);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className={s.try} aria-label={t('try.title')}>
      <h2>{t('try.title')}</h2>
      <Select aria-label={t('f.model')} searchable data={names} value={chosen || null} onChange={(v) => onModel(v ?? '')} allowDeselect={false} />
      <Textarea
        aria-label={t('try.message')} autosize minRows={3} maxRows={10} value={prompt} onChange={(e) => setPrompt(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === 'Enter' && (e.metaKey || e.ctrlKey) && !e.nativeEvent.isComposing) void run();
        }}
      />
      <Group gap={8}>
        <Button leftSection={<IconPlayerPlay size={14} />} loading={busy} disabled={!chosen || !prompt.trim()} onClick={() => void run()}>
          {t('try.run')}
        </Button>
        {busy && (
          <Button variant="default" leftSection={<IconPlayerStop size={14} />} onClick={() => abort.current?.abort()}>
            {t('try.stop')}
          </Button>
        )}
        <span className="dim">⌘↵</span>
      </Group>
      {error !== undefined && <ErrorNotice error={error} />}
      {result && (
        <>
          <div className={s.out} aria-live="polite" aria-busy={busy}>
            {result.thinking && <div className="dim">{result.thinking}</div>}
            <Markdown text={result.text} />
          </div>
          <Facts result={result} done={!busy} />
        </>
      )}
    </section>
  );
}

function Facts({ result, done }: { result: Result; done: boolean }) {
  const t = useT();
  const lang = useLang();
  // The price of a stream is known after its headers went out; the recorded trace has it.
  const trace = useQuery({ ...traceQuery(result.trace ?? ''), enabled: done && !!result.trace, retry: 3 });
  const cost = trace.data?.total_cost_usd ?? (result.cost ? Number(result.cost) : undefined);
  return (
    <div className={s.facts}>
      {result.firstMs !== undefined && <span><span className="dim2">{t('c.ttft')}</span> {duration(result.firstMs)}</span>}
      <span><span className="dim2">{t('c.duration')}</span> {duration(result.tookMs)}</span>
      {result.outputTokens !== undefined && <span>{int(result.promptTokens, lang)} → {int(result.outputTokens, lang)} {t('tok')}</span>}
      {cost !== undefined && <span>{money(cost, lang)}</span>}
      {result.trace && <Link to="/traces/$trace" params={{ trace: result.trace }}>{t('open.trace')}</Link>}
    </div>
  );
}
