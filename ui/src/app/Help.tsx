import { Modal } from '@mantine/core';
import { useT, type Key } from '@/shared/i18n';
import { pages } from './nav';
import s from './Shell.module.css';

const keys: [string[], Key][] = [
  [['⌘K', 'Ctrl K'], 'help.palette'],
  [['/'], 'help.search'],
  [['j', 'k'], 'help.move'],
  [['Enter'], 'help.panel'],
  [['x'], 'help.mark'],
  [['⇧ Enter'], 'help.page'],
  [['↑', '↓', '←', '→'], 'help.tree'],
  [['e'], 'help.error'],
  [['d'], 'help.diff'],
  [['r'], 'help.replay'],
  [['z'], 'help.zoom'],
  [['c'], 'help.copy'],
  [['Esc'], 'help.close'],
  [['?'], 'help.help'],
];

export function Help({ onClose }: { onClose: () => void }) {
  const t = useT();
  return (
    <Modal opened onClose={onClose} title={t('shortcuts')} closeButtonProps={{ 'aria-label': t('close') }}>
      <dl className={s.keys}>
        {keys.map(([k, what]) => (
          <Row key={what} strokes={k} what={t(what)} />
        ))}
        {pages.map((p) => (
          <Row key={p.to} strokes={['g', p.key]} what={t('help.go', { page: t(p.label) })} />
        ))}
      </dl>
    </Modal>
  );
}

function Row({ strokes, what }: { strokes: string[]; what: string }) {
  return (
    <>
      <dt>
        {strokes.map((x) => (
          <kbd key={x} className={s.kbd}>
            {x}
          </kbd>
        ))}
      </dt>
      <dd>{what}</dd>
    </>
  );
}
