import { Link } from '@tanstack/react-router';
import type { Span } from '@/shared/api/types';
import { full } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { KV, Tag } from '@/shared/ui/Bits';
import { Json } from '@/shared/ui/Json';
import s from './Trace.module.css';

const mono = (v?: string) => v && <span className="mono">{v}</span>;

export function AttributesTab({ span }: { span: Span }) {
  const t = useT();
  const lang = useLang();
  return (
    <>
      <KV
        rows={[
          [t('c.name'), span.name],
          [t('f.kind'), span.kind],
          [t('c.start'), <span className="num">{full(span.start, lang)}</span>],
          [t('f.model'), span.model],
          [t('f.upstream'), mono(span.upstream_model)],
          [t('f.provider'), span.provider],
          [t('f.deployment'), span.deployment],
          [t('f.dialect'), mono(span.dialect)],
          [t('f.operation'), span.operation],
          [t('f.user'), span.user],
          [t('f.email'), span.email],
          [t('f.team'), span.team_alias || span.team],
          [t('f.key'), span.key_alias || span.key],
          [t('f.enduser'), span.end_user],
          [t('f.session'), span.session && <Link to="/sessions/$session" params={{ session: span.session }} className="mono">{span.session}</Link>],
          [t('f.tag'), span.tags?.length ? span.tags.map((x) => <Tag key={x}>{x}</Tag>) : undefined],
          [t('f.client'), [span.client, span.client_version].filter(Boolean).join(' ')],
          ['User-Agent', mono(span.user_agent)],
          ['IP', mono(span.ip)],
          [t('f.request'), mono(span.request_id)],
        ]}
      />
      <Group title={t('attr.params')} value={span.params} />
      <Group title={t('attr.metadata')} value={span.metadata} />
      <Group title={t('attr.attributes')} value={span.attributes} />
    </>
  );
}

function Group({ title, value }: { title: string; value: unknown }) {
  if (!value || (typeof value === 'object' && Object.keys(value).length === 0)) return null;
  return (
    <section>
      <h2 className={s.h}>{title}</h2>
      <Json value={value} open={4} />
    </section>
  );
}
