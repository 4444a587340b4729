import { useComputedColorScheme } from '@mantine/core';
import type { Line } from '@/shared/charts/series';
import { useT } from '@/shared/i18n';
import { otherDark, otherLight, seriesDark, seriesLight } from '@/shared/theme/tokens';
import s from './Home.module.css';

/** One legend for all charts of the page: a group has the same colour in each. */
export function Legend({ lines, onPick }: { lines: Line[]; onPick: (name?: string) => void }) {
  const t = useT();
  const dark = useComputedColorScheme('light') === 'dark';
  const colors = dark ? seriesDark : seriesLight;
  return (
    <div className={s.legend}>
      {lines.map((l, i) => (
        <button key={l.name + i} type="button" className={s.leg} onClick={() => onPick(l.other ? undefined : l.name)}>
          <span className={s.sw} style={{ background: l.other ? (dark ? otherDark : otherLight) : colors[i % colors.length] }} />
          <span className="ellipsis">{l.other ? t('other') : l.name || t('unset')}</span>
        </button>
      ))}
    </div>
  );
}
