import { IconBinaryTree2, IconCpu, IconHome, IconKey, IconMessages, IconPlugConnected, IconServerCog } from '@tabler/icons-react';
import type { Key } from '@/shared/i18n';

/** Only pages that exist. `key` is the second stroke after g. */
export const nav = [
  { group: undefined, items: [{ to: '/', label: 'nav.home', icon: IconHome, key: 'h' }] },
  {
    group: 'nav.observe',
    items: [
      { to: '/traces', label: 'nav.traces', icon: IconBinaryTree2, key: 't' },
      { to: '/sessions', label: 'nav.sessions', icon: IconMessages, key: 's' },
    ],
  },
  {
    group: 'nav.gateway',
    items: [
      { to: '/models', label: 'nav.models', icon: IconCpu, key: 'm' },
      { to: '/keys', label: 'nav.keys', icon: IconKey, key: 'k' },
    ],
  },
  {
    group: 'nav.settings',
    items: [
      { to: '/connect', label: 'nav.connect', icon: IconPlugConnected, key: 'c' },
      { to: '/system', label: 'nav.system', icon: IconServerCog, key: 'y' },
    ],
  },
] as const satisfies readonly { group: Key | undefined; items: readonly { to: string; label: Key; icon: typeof IconHome; key: string }[] }[];

export const pages = nav.flatMap((g) => [...g.items]);
