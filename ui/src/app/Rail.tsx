import { ActionIcon, Menu, Select, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { IconChevronsLeft, IconChevronsRight, IconKeyboard, IconLanguage, IconLogout, IconMoon, IconSearch, IconSun } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { projectPref } from '@/shared/api/client';
import { meQuery, signOut } from '@/shared/api/queries';
import { langs, setLang, useLang, useT, type Lang } from '@/shared/i18n';
import { pref } from '@/shared/theme/prefs';
import { Logo } from '@/shared/ui/Logo';
import { nav } from './nav';
import s from './Shell.module.css';

export const narrowPref = pref<boolean>('rail.narrow', false, Boolean);

export function Rail({ onFind, onHelp, narrow }: { onFind: () => void; onHelp: () => void; narrow: boolean }) {
  const t = useT();
  return (
    <div className={s.rail} data-narrow={narrow || undefined}>
      <Link to="/" className={s.brand} aria-label="Weir">
        <Logo />
        {!narrow && 'Weir'}
      </Link>
      {!narrow && <Project />}
      <button type="button" className={s.find} onClick={onFind} aria-label={narrow ? t('find') : undefined}>
        <IconSearch size={14} />
        {!narrow && (
          <>
            {t('find')}
            <kbd aria-hidden>⌘K</kbd>
          </>
        )}
      </button>
      <nav className={s.nav} aria-label={t('nav.main')}>
        {nav.map((g, i) => (
          <div key={i}>
            {g.group && !narrow && <div className={s.group}>{t(g.group)}</div>}
            {g.items.map((x) => (
              <Tooltip key={x.to} label={t(x.label)} disabled={!narrow} position="right">
                <Link to={x.to} className={s.item} activeOptions={{ exact: x.to === '/', includeSearch: false }} aria-label={t(x.label)}>
                  <x.icon size={16} />
                  {!narrow && t(x.label)}
                </Link>
              </Tooltip>
            ))}
          </div>
        ))}
      </nav>
      {!narrow && <LocalNote />}
      <Foot onHelp={onHelp} narrow={narrow} />
    </div>
  );
}

function LocalNote() {
  const t = useT();
  const me = useQuery(meQuery).data;
  if (!me?.local) return null;
  return (
    <div className={s.local}>
      {t('local.note')}. {me.means !== 'session' && <Link to="/login">{t('login.enter')}</Link>}
    </div>
  );
}

function Project() {
  const t = useT();
  const client = useQueryClient();
  const me = useQuery(meQuery).data;
  if (!me || me.projects.length < 2) return null;
  const choose = (id: string | null) => {
    projectPref.set(id ?? '');
    void client.invalidateQueries();
  };
  return (
    <div className={s.project}>
      <Select aria-label={t('project')} value={projectPref.get() || me.project.id} data={me.projects.map((p) => ({ value: p.id, label: p.name }))} onChange={choose} allowDeselect={false} />
    </div>
  );
}

function Foot({ onHelp, narrow }: { onHelp: () => void; narrow: boolean }) {
  const t = useT();
  const lang = useLang();
  const scheme = useComputedColorScheme('light');
  const { setColorScheme } = useMantineColorScheme();
  const client = useQueryClient();
  const go = useNavigate();
  const me = useQuery(meQuery).data;
  const leave = async () => {
    await signOut(client);
    await go({ to: '/login' });
  };
  return (
    <div className={s.foot}>
      <ActionIcon aria-label={t('theme')} title={t('theme')} onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}>
        {scheme === 'dark' ? <IconSun size={16} /> : <IconMoon size={16} />}
      </ActionIcon>
      <Menu position="top-start">
        <Menu.Target>
          <ActionIcon aria-label={t('language')} title={t('language')}>
            <IconLanguage size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {(Object.keys(langs) as Lang[]).map((l) => (
            <Menu.Item key={l} lang={l} fw={l === lang ? 600 : undefined} onClick={() => void setLang(l)}>
              {langs[l]}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <ActionIcon aria-label={t('shortcuts')} title={`${t('shortcuts')} (?)`} onClick={onHelp}>
        <IconKeyboard size={16} />
      </ActionIcon>
      {me?.means === 'session' && (
        <ActionIcon aria-label={t('signout')} title={t('signout')} onClick={() => void leave()}>
          <IconLogout size={16} />
        </ActionIcon>
      )}
      {!narrow && <span style={{ flex: 1 }} />}
      <ActionIcon visibleFrom="sm" aria-label={t('rail.toggle')} title={t('rail.toggle')} onClick={() => narrowPref.set(!narrow)}>
        {narrow ? <IconChevronsRight size={16} /> : <IconChevronsLeft size={16} />}
      </ActionIcon>
    </div>
  );
}
