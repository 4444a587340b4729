import { IconActivity, IconArrowsSort, IconBolt, IconBox, IconCube, IconDatabaseSearch, IconFlag, IconGauge, IconLink, IconRobot, IconShieldCheck, IconTool } from '@tabler/icons-react';

const kinds = {
  generation: { icon: IconBolt, color: 'var(--w-kind-generation)' },
  agent: { icon: IconRobot, color: 'var(--w-kind-agent)' },
  chain: { icon: IconLink, color: 'var(--w-kind-chain)' },
  tool: { icon: IconTool, color: 'var(--w-kind-tool)' },
  retriever: { icon: IconDatabaseSearch, color: 'var(--w-kind-retriever)' },
  embedding: { icon: IconCube, color: 'var(--w-kind-embedding)' },
  reranker: { icon: IconArrowsSort, color: 'var(--w-kind-reranker)' },
  guardrail: { icon: IconShieldCheck, color: 'var(--w-kind-guardrail)' },
  evaluator: { icon: IconGauge, color: 'var(--w-kind-evaluator)' },
  event: { icon: IconFlag, color: 'var(--w-kind-event)' },
  span: { icon: IconActivity, color: 'var(--w-kind-span)' },
};

function known(kind: string) {
  return kind in kinds ? kinds[kind as keyof typeof kinds] : { icon: IconBox, color: 'var(--w-kind-span)' };
}

/** Each kind of span has one icon and one colour, everywhere. */
export function KindIcon({ kind, size = 14 }: { kind: string; size?: number }) {
  const k = known(kind);
  return <k.icon size={size} color={k.color} aria-label={kind} style={{ flex: 'none' }} />;
}

export function kindColor(kind: string): string {
  return known(kind).color;
}
