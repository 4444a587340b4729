import { lazy, Suspense, type ReactNode } from 'react';
import { useT } from '../i18n';
import s from './Snippets.module.css';

const Snippets = lazy(() => import('./Snippets').then((m) => ({ default: m.Snippets })));

/** An empty page: one sentence and what to paste. Its page replaces it when the first row arrives. */
export function EmptyPage({ text, only, children }: { text: string; only?: string[]; children?: ReactNode }) {
  const t = useT();
  return (
    <div className={s.empty}>
      <p>
        <span className={s.pulse} aria-hidden />
        {text} <span className="dim">{t('empty.waiting')}</span>
      </p>
      {children ?? (
        <Suspense>
          <Snippets only={only} />
        </Suspense>
      )}
    </div>
  );
}
