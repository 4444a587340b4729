import { ActionIcon } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useHotkeys } from '../keys/hotkeys';
import { useT } from '../i18n';
import s from './Sheet.module.css';

/** The side panel of a list: beside it when wide, over it when narrow. Escape closes. */
export function Sheet({ title, actions, onClose, children }: { title: ReactNode; actions?: ReactNode; onClose: () => void; children: ReactNode }) {
  const t = useT();
  useHotkeys({ Escape: onClose });
  return (
    <aside className={s.sheet} aria-label={t('panel')}>
      <div className={s.head}>
        <div style={{ flex: 1, minWidth: 0 }}>{title}</div>
        {actions}
        <ActionIcon aria-label={t('close')} onClick={onClose}>
          <IconX size={16} />
        </ActionIcon>
      </div>
      <div className={s.body} tabIndex={0}>
        {children}
      </div>
    </aside>
  );
}
