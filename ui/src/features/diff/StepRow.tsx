import { Link } from '@tanstack/react-router';
import { IconArrowsMoveVertical, IconEqual, IconMinus, IconPlus, IconTilde } from '@tabler/icons-react';
import type { TraceRow } from '@/shared/api/types';
import { compact, duration, moneyTiny } from '@/shared/format/format';
import { total } from '@/shared/format/usage';
import { useT, type Key } from '@/shared/i18n';
import { Tag } from '@/shared/ui/Bits';
import { KindIcon } from '@/shared/ui/Kind';
import { DeltaFigures } from './Delta';
import s from './Diff.module.css';
import type { Row, Side } from './types';

const ops: Record<string, { icon: typeof IconPlus; label: Key }> = {
  same: { icon: IconEqual, label: 'diff.same' },
  changed: { icon: IconTilde, label: 'diff.changed' },
  added: { icon: IconPlus, label: 'diff.added' },
  removed: { icon: IconMinus, label: 'diff.removed' },
  moved: { icon: IconArrowsMoveVertical, label: 'diff.moved' },
};

/** One step of both sides beside each other. */
export function StepRow({ row, open, onToggle, a, b }: { row: Row; open: boolean; onToggle: () => void; a: Side; b: Side }) {
  const t = useT();
  const op = ops[row.op] ?? ops.changed!;
  const more = (row.parts?.length ?? 0) > 0 || row.unread;
  return (
    <div className={s.step} data-op={row.op} style={{ '--depth': Math.min(row.depth, 16) } as React.CSSProperties}>
      <button type="button" className={s.op} aria-label={t(op.label)} title={t(op.label)} aria-expanded={more ? open : undefined} onClick={onToggle} disabled={!more}>
        <op.icon size={14} />
      </button>
      <Cell x={row.a} other={row.b} trace={a.trace} side="a" />
      <Cell x={row.b} other={row.a} trace={b.trace} side="b">
        {row.op !== 'same' && row.a && row.b && <DeltaFigures d={row.delta} a={row.a.duration_ms} />}
      </Cell>
    </div>
  );
}

function Cell({ x, other, trace, side, children }: { x?: TraceRow | null; other?: TraceRow | null; trace: string; side: 'a' | 'b'; children?: React.ReactNode }) {
  if (!x) return <span className={s.cell} data-side={side} data-empty />;
  const model = x.model && x.model !== x.name ? x.model : '';
  return (
    <span className={s.cell} data-side={side}>
      <span className={s.indent} />
      <KindIcon kind={x.kind} />
      <Link className={s.name} to="/traces/$trace" params={{ trace: x.trace || trace }} search={{ span: x.id }} data-new={other && other.name !== x.name ? true : undefined}>
        {x.name || x.model || x.kind}
      </Link>
      {model && <span className={s.model} data-new={other && other.model !== x.model ? true : undefined}>{model}</span>}
      {x.status !== 'ok' && <Tag tone="err">{x.error_type || x.status}</Tag>}
      <span className={s.nums}>
        {x.usage && total(x.usage) > 0 && <span>{compact(total(x.usage))}</span>}
        {x.cost_usd ? <span>{moneyTiny(x.cost_usd)}</span> : null}
        <span>{duration(x.duration_ms)}</span>
        {children}
      </span>
    </span>
  );
}
