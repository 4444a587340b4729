import { ActionIcon, Menu, UnstyledButton } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconColumns3 } from '@tabler/icons-react';
import { useT } from '@/shared/i18n';
import { orderPref, shownPref, type Spec } from './columns';
import s from './Traces.module.css';

/** Which columns are shown, and in which order; headers can be dragged as well. */
export function Columns({ list }: { list: Spec[] }) {
  const t = useT();
  const shown = shownPref.use();
  const swap = (i: number, d: number) => {
    const ids = list.map((c) => c.id);
    [ids[i], ids[i + d]] = [ids[i + d]!, ids[i]!];
    orderPref.set(ids);
  };
  const on = (c: Spec) => shown[c.id] ?? !c.id.startsWith('score.');
  return (
    <Menu closeOnItemClick={false} position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label={t('columns')} title={t('columns')}>
          <IconColumns3 size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown className={s.columns}>
        {list.map((c, i) => (
          <div key={c.id} className={s.column}>
            <Menu.CheckboxItem checked={on(c)} onChange={() => shownPref.set({ ...shown, [c.id]: !on(c) })}>
              {c.title ? `${t(c.label)}: ${c.title}` : t(c.label)}
            </Menu.CheckboxItem>
            <UnstyledButton className={s.shift} aria-label={t('columns.up', { name: c.title ?? t(c.label) })} disabled={i === 0} onClick={() => swap(i, -1)}>
              <IconArrowUp size={12} />
            </UnstyledButton>
            <UnstyledButton className={s.shift} aria-label={t('columns.down', { name: c.title ?? t(c.label) })} disabled={i === list.length - 1} onClick={() => swap(i, 1)}>
              <IconArrowDown size={12} />
            </UnstyledButton>
          </div>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={() => (orderPref.set([]), shownPref.set({}))}>{t('columns.reset')}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
