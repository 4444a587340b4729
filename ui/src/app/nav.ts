import { IconAlertTriangle, IconBell, IconBinaryTree2, IconCpu, IconDatabase, IconFileExport, IconHistory, IconHome, IconKey, IconMessages, IconPlugConnected, IconServerCog, IconTrashX, IconUsers } from '@tabler/icons-react';
import type { Key } from '@/shared/i18n';

/** Only pages that exist. `key` is the second stroke after g. */
export const nav = [
  { group: undefined, items: [{ to: '/', label: 'nav.home', icon: IconHome, key: 'h' }] },
  {
    group: 'nav.observe',
    items: [
      { to: '/traces', label: 'nav.traces', icon: IconBinaryTree2, key: 't' },
      { to: '/sessions', label: 'nav.sessions', icon: IconMessages, key: 's' },
      { to: '/users', label: 'nav.users', icon: IconUsers, key: 'u' },
      { to: '/errors', label: 'nav.errors', icon: IconAlertTriangle, key: 'e' },
      { to: '/alerts', label: 'nav.alerts', icon: IconBell, key: 'a' },
      { to: '/sql', label: 'nav.sql', icon: IconDatabase, key: 'q' },
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
      { to: '/exports', label: 'nav.exports', icon: IconFileExport, key: 'x' },
      { to: '/data', label: 'nav.data', icon: IconTrashX, key: 'd' },
      { to: '/audit', label: 'nav.audit', icon: IconHistory, key: 'l' },
      { to: '/system', label: 'nav.system', icon: IconServerCog, key: 'y' },
    ],
  },
] as const satisfies readonly { group: Key | undefined; items: readonly { to: string; label: Key; icon: typeof IconHome; key: string }[] }[];

export const pages = nav.flatMap((g) => [...g.items]);
