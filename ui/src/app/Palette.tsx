import '@mantine/spotlight/styles.css';
import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { createSpotlight, Spotlight } from '@mantine/spotlight';
import { IconBell, IconFilter, IconHash, IconKey, IconLanguage, IconMessages, IconMoon, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState, type ReactNode } from 'react';
import { sessionHeadQuery, traceQuery } from '@/shared/api/queries';
import { langPref, setLang, useT } from '@/shared/i18n';
import { pages } from './nav';

const [store, spotlight] = createSpotlight();

interface Action {
  id: string;
  label: string;
  hint?: string;
  icon: ReactNode;
  run: () => void;
}

const looksLikeID = (q: string) => /^[\w-]{8,64}$/.test(q) && /\d/.test(q);

/** ⌘K: pages, ids, actions. An id is looked up while it is typed, so that what is offered exists. */
export function Palette({ onClose }: { onClose: () => void }) {
  const t = useT();
  const [query, setQuery] = useState('');
  const found = useFound(query.trim());
  const actions = useActions(query.trim());
  useEffect(() => spotlight.open(), []);
  const q = query.trim().toLowerCase();
  const list = [...found, ...actions.filter((a) => a.id === 'filter' || a.label.toLowerCase().includes(q))];
  return (
    <Spotlight.Root store={store} query={query} onQueryChange={setQuery} onSpotlightClose={onClose} shortcut={null} scrollable maxHeight={380} transitionProps={{ duration: 80 }} aria-label={t('find')}>
      <Spotlight.Search placeholder={t('find.placeholder')} aria-label={t('find')} leftSection={<IconSearch size={16} />} />
      <Spotlight.ActionsList>
        {list.map((a) => (
          <Spotlight.Action key={a.id} label={a.label} description={a.hint} leftSection={a.icon} onClick={a.run} />
        ))}
        {list.length === 0 && <Spotlight.Empty>{t('none')}</Spotlight.Empty>}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

function useFound(q: string): Action[] {
  const go = useNavigate();
  const id = looksLikeID(q) ? q : '';
  const trace = useQuery({ ...traceQuery(id), enabled: id !== '', retry: false });
  const session = useQuery({ ...sessionHeadQuery(id), enabled: id !== '', retry: false });
  const out: Action[] = [];
  if (id && trace.data) out.push({ id: 'trace', label: `Trace ${id}`, hint: trace.data.spans[0]?.name, icon: <IconHash size={16} />, run: () => void go({ to: '/traces/$trace', params: { trace: id } }) });
  if (id && session.data) out.push({ id: 'session', label: `Session ${id}`, hint: session.data.name, icon: <IconMessages size={16} />, run: () => void go({ to: '/sessions/$session', params: { session: id } }) });
  return out;
}

function useActions(q: string): Action[] {
  const t = useT();
  const go = useNavigate();
  const scheme = useComputedColorScheme('light');
  const { setColorScheme } = useMantineColorScheme();
  const out: Action[] = pages.map((p) => ({ id: p.to, label: t('help.go', { page: t(p.label) }), hint: `g ${p.key}`, icon: <p.icon size={16} />, run: () => void go({ to: p.to }) }));
  out.push({ id: 'failed', label: t('find.failed'), icon: <IconFilter size={16} />, run: () => void go({ to: '/traces', search: { q: 'status = "error"' } }) });
  out.push({ id: 'newalert', label: t('alert.new'), icon: <IconBell size={16} />, run: () => void go({ to: '/alerts', search: { new: '1' } }) });
  out.push({ id: 'newkey', label: t('key.create'), icon: <IconKey size={16} />, run: () => void go({ to: '/keys', search: { new: '1' } }) });
  out.push({ id: 'theme', label: t('theme'), icon: <IconMoon size={16} />, run: () => setColorScheme(scheme === 'dark' ? 'light' : 'dark') });
  out.push({ id: 'lang', label: langPref.get() === 'ja' ? 'English' : '日本語', icon: <IconLanguage size={16} />, run: () => void setLang(langPref.get() === 'ja' ? 'en' : 'ja') });
  if (q) out.push({ id: 'filter', label: t('find.filter', { q }), icon: <IconFilter size={16} />, run: () => void go({ to: '/traces', search: { q } }) });
  return out;
}
