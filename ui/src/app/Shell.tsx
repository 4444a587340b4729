import { ActionIcon, Drawer } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconMenu2, IconSearch } from '@tabler/icons-react';
import { Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useLang, useT } from '@/shared/i18n';
import { useHotkeys } from '@/shared/keys/hotkeys';
import { Waiting } from '@/shared/ui/Bits';
import { Logo } from '@/shared/ui/Logo';
import { Help } from './Help';
import { pages } from './nav';
import { narrowPref, Rail } from './Rail';
import s from './Shell.module.css';

const Palette = lazy(() => import('./Palette').then((m) => ({ default: m.Palette })));

const secondStroke = 900;

export function Shell() {
  const t = useT();
  const lang = useLang();
  const narrow = narrowPref.use();
  const path = useRouterState({ select: (r) => r.location.pathname });
  const [drawer, d] = useDisclosure(false);
  const [help, h] = useDisclosure(false);
  const [palette, setPalette] = useState(false);
  useEffect(() => {
    document.documentElement.lang = lang;
  }, [lang]);
  useEffect(() => {
    const page = pages.find((p) => (p.to === '/' ? false : path.startsWith(p.to))) ?? pages[0]!;
    document.title = `${t(page.label)} · Weir`;
    d.close();
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [path, t]);
  useGoKeys();
  useHotkeys({ 'mod+k': () => setPalette(true), '?': h.open });
  return (
    <div className={s.app}>
      <a href="#main" className={s.skip} onClick={(e) => (e.preventDefault(), document.getElementById('main')?.focus())}>
        {t('skip')}
      </a>
      <Rail onFind={() => setPalette(true)} onHelp={h.open} narrow={narrow} />
      <Drawer opened={drawer} onClose={d.close} size={240} padding={0} withCloseButton={false} className={s.drawer} attributes={{ content: { 'aria-label': t('nav.main') } }} styles={{ body: { height: '100%' } }}>
        <Rail onFind={() => (d.close(), setPalette(true))} onHelp={() => (d.close(), h.open())} narrow={false} />
      </Drawer>
      <div className={s.main}>
        <div className={s.top}>
          <ActionIcon aria-label={t('menu')} onClick={d.open}>
            <IconMenu2 size={18} />
          </ActionIcon>
          <Logo size={20} />
          <strong>Weir</strong>
          <span style={{ flex: 1 }} />
          <ActionIcon aria-label={t('find')} onClick={() => setPalette(true)}>
            <IconSearch size={16} />
          </ActionIcon>
        </div>
        <main id="main" tabIndex={-1} className={s.content} style={{ outline: 'none' }}>
          <Suspense fallback={<Waiting />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      {help && <Help onClose={h.close} />}
      {palette && (
        <Suspense>
          <Palette onClose={() => setPalette(false)} />
        </Suspense>
      )}
    </div>
  );
}

/** g then a letter goes to a page. */
function useGoKeys(): void {
  const go = useNavigate();
  const armed = useRef(0);
  const jump = (to: (typeof pages)[number]['to']) => () => {
    if (Date.now() - armed.current > secondStroke) return false;
    armed.current = 0;
    void go({ to });
  };
  useHotkeys({ ...Object.fromEntries(pages.filter((p) => p.key !== 'k').map((p) => [p.key, jump(p.to)])), g: () => void (armed.current = Date.now()), k: () => jump('/keys')() }, true, true);
}
