import { ActionIcon, Menu, SegmentedControl } from '@mantine/core';
import { IconArrowsSort, IconArrowsVertical, IconFold, IconRepeat, IconZoomIn, IconZoomReset } from '@tabler/icons-react';
import { useT, type Key } from '@/shared/i18n';
import { Spacer } from '@/shared/ui/Bits';
import { sorts, type Sort } from './forest';
import { views, type View } from './search';
import s from './Tree.module.css';
import { loopsPref, sortPref, type TreeState } from './useTree';

const sortNames: Record<Sort, Key> = { start: 'trace.sort.start', errors: 'trace.sort.errors', slow: 'trace.sort.slow', cost: 'trace.sort.cost' };
const viewNames: Record<View, Key> = { tree: 'trace.view.tree', timeline: 'trace.view.timeline', graph: 'trace.view.graph' };

export function Toolbar({ tree, view, onView, zoomed, onZoom }: { tree: TreeState; view: View; onView: (v: View) => void; zoomed: boolean; onZoom: () => void }) {
  const t = useT();
  return (
    <div className={s.tools}>
      <SegmentedControl aria-label={t('trace.view')} value={view} onChange={(v) => onView(v as View)} data={views.map((v) => ({ value: v, label: t(viewNames[v]) }))} />
      <Spacer />
      {view !== 'graph' && (
        <>
          {view === 'timeline' && (
            <ActionIcon aria-label={t(zoomed ? 'trace.zoom.reset' : 'help.zoom')} aria-pressed={zoomed} title={`${t(zoomed ? 'trace.zoom.reset' : 'help.zoom')} (z)`} onClick={onZoom} variant={zoomed ? 'light' : 'subtle'} color={zoomed ? 'water' : 'gray'}>
              {zoomed ? <IconZoomReset size={16} /> : <IconZoomIn size={16} />}
            </ActionIcon>
          )}
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon aria-label={t('trace.sort')} title={t('trace.sort')} variant={tree.sort === 'start' ? 'subtle' : 'light'} color={tree.sort === 'start' ? 'gray' : 'water'}>
                <IconArrowsSort size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.RadioGroup value={tree.sort} onChange={(v) => sortPref.set(v as Sort)}>
                {sorts.map((x) => (
                  <Menu.RadioItem key={x} value={x} closeMenuOnClick>
                    {t(sortNames[x])}
                  </Menu.RadioItem>
                ))}
              </Menu.RadioGroup>
            </Menu.Dropdown>
          </Menu>
          <ActionIcon aria-label={t('trace.loops')} aria-pressed={tree.loops} title={t('trace.loops')} variant={tree.loops ? 'light' : 'subtle'} color={tree.loops ? 'water' : 'gray'} onClick={() => loopsPref.set(!tree.loops)}>
            <IconRepeat size={16} />
          </ActionIcon>
          <ActionIcon aria-label={t('trace.foldall')} title={t('trace.foldall')} onClick={tree.foldAll}>
            <IconFold size={16} />
          </ActionIcon>
          <ActionIcon aria-label={t('trace.unfoldall')} title={t('trace.unfoldall')} onClick={tree.unfoldAll}>
            <IconArrowsVertical size={16} />
          </ActionIcon>
        </>
      )}
    </div>
  );
}
