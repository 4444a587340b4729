import { useElementSize } from '@mantine/hooks';
import { useMemo } from 'react';
import { compact, duration, moneyTiny } from '@/shared/format/format';
import { useT } from '@/shared/i18n';
import { KindIcon, kindColor } from '@/shared/ui/Kind';
import type { Forest } from './forest';
import s from './Graph.module.css';
import { graph, type Step } from './graph';
import { curve, layout, node } from './layout';

const smallest = 0.55;

/** What the steps of a trace do in which order. A press on a node opens its first failure, then one span after the other. */
export function GraphView({ f, selected, onSelect }: { f: Forest; selected: number; onSelect: (span: number) => void }) {
  const t = useT();
  const { ref, width } = useElementSize();
  const g = useMemo(() => graph(f), [f]);
  const l = useMemo(() => layout(g), [g]);
  const now = selected >= 0 ? g.stepOf[selected]! : -1;
  const scale = Math.max(smallest, Math.min(1, (width - 8) / l.width));
  const press = (i: number) => {
    const { spans } = g.steps[i]!;
    const at = spans.indexOf(selected);
    onSelect(at >= 0 ? spans[(at + 1) % spans.length]! : (spans.find((x) => f.c.statuses[x] === 'error') ?? spans[0]!));
  };
  return (
    <div className={s.box} ref={ref} tabIndex={0} role="group" aria-label={t('trace.view.graph')}>
      <svg width={l.width * scale} height={l.height * scale} viewBox={`0 0 ${l.width} ${l.height}`} className={s.svg}>
        <defs>
          <marker id="weir-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto">
            <path d="M0 0 L8 4 L0 8 z" className={s.head} />
          </marker>
        </defs>
        {l.paths.map(({ edge, points, back }) => {
          const [x, y] = points.length % 2 === 1 ? points[(points.length - 1) / 2]! : middle(points[points.length / 2 - 1]!, points[points.length / 2]!);
          const lit = edge.from === now || edge.to === now;
          return (
            <g key={`${edge.from}>${edge.to}`} data-lit={lit || undefined} className={s.edge}>
              <path d={curve(points)} strokeWidth={1 + Math.min(3, Math.log10(edge.count) * 1.2)} strokeDasharray={edge.call ? '5 4' : undefined} data-back={back || undefined} markerEnd="url(#weir-arrow)" />
              {edge.count > 1 && <text x={x} y={y} dy={4}>{compact(edge.count)}</text>}
            </g>
          );
        })}
        {g.steps.map((x, i) => (
          <foreignObject key={x.key} x={l.nodes[i]!.x} y={l.nodes[i]!.y} width={node.w} height={node.h}>
            <Node step={x} current={i === now ? x.spans.indexOf(selected) + 1 : 0} onPress={() => press(i)} />
          </foreignObject>
        ))}
      </svg>
      <p className={s.key}>{t('trace.graph.key')}</p>
    </div>
  );
}

const middle = (a: readonly [number, number], b: readonly [number, number]): readonly [number, number] => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];

function Node({ step, current, onPress }: { step: Step; current: number; onPress: () => void }) {
  const t = useT();
  return (
    <button type="button" className={s.node} data-bad={step.errors > 0 || undefined} aria-pressed={current > 0} style={{ '--kind': kindColor(step.kind) } as React.CSSProperties} onClick={onPress} title={step.name}>
      <span className={s.title}>
        <KindIcon kind={step.kind} />
        <span className="ellipsis">{step.name}</span>
        {step.spans.length > 1 && <span className={s.times}>{current > 0 ? `${current}/${compact(step.spans.length)}` : `×${compact(step.spans.length)}`}</span>}
      </span>
      <span className={s.facts}>
        <span>{duration(step.took)}</span>
        {step.tokens > 0 && <span>{compact(step.tokens)} {t('tok')}</span>}
        {step.cost > 0 && <span>{moneyTiny(step.cost)}</span>}
        {step.errors > 0 && <span className="err">{t('errors.n', { n: step.errors })}</span>}
      </span>
    </button>
  );
}
