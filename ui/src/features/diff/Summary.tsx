import { Link } from '@tanstack/react-router';
import { compact, duration, full, int, money, short } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { StatusTag } from '@/shared/ui/Bits';
import { KindIcon } from '@/shared/ui/Kind';
import { Grown } from './Delta';
import s from './Diff.module.css';
import type { Side, TraceDiff } from './types';

/** Both sides in one table: what each was, and by how much the second differs. */
export function Summary({ d }: { d: TraceDiff }) {
  const t = useT();
  const lang = useLang();
  const { a, b, delta } = d;
  const lines: [string, (x: Side) => string, React.ReactNode][] = [
    [t('c.duration'), (x) => duration(x.duration_ms), <Grown n={delta.duration_ms} text={duration} before={a.duration_ms} small={0.5} />],
    [t('m.cost'), (x) => money(x.cost_usd, lang), <Grown n={delta.cost_usd} text={(n) => money(n, lang)} before={a.cost_usd} small={1e-12} />],
    [t('m.tokens'), (x) => int(x.tokens, lang), <Grown n={delta.tokens} text={compact} before={a.tokens} />],
    [t('diff.steps'), (x) => int(x.spans, lang), <Grown n={delta.spans ?? b.spans - a.spans} text={(n) => int(n, lang)} before={a.spans} />],
    [t('m.calls'), (x) => int(x.calls, lang), <Grown n={delta.calls ?? b.calls - a.calls} text={(n) => int(n, lang)} before={a.calls} />],
    [t('m.errors'), (x) => int(x.errors, lang), <Grown n={delta.errors ?? b.errors - a.errors} text={(n) => int(n, lang)} />],
  ];
  return (
    <div className={s.summary}>
      <div className={s.sides}>
        <Head x={a} label="A" />
        <Head x={b} label="B" />
      </div>
      <dl className={s.figures}>
        {lines.map(([name, of, grown]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <span className="num dim2">{of(a)} →</span> <b className="num">{of(b)}</b> <span className={s.grown}>{grown}</span>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Head({ x, label }: { x: Side; label: string }) {
  const lang = useLang();
  return (
    <div className={s.side}>
      <span className={s.letter}>{label}</span>
      <KindIcon kind={x.root.kind} />
      <Link to="/traces/$trace" params={{ trace: x.trace }} search={x.span ? { span: x.span } : {}}>
        <strong>{x.name || x.root.name}</strong>
      </Link>
      <StatusTag status={x.status || x.root.status} />
      <span className="dim2 ellipsis">{x.models?.join(', ')}</span>
      <span className={`num dim2 ${s.when}`}>{full(x.start, lang)}</span>
      <span className={`mono dim ${s.when}`} title={x.trace}>{short(x.trace)}</span>
    </div>
  );
}
