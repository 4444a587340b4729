import { TextInput } from '@mantine/core';
import { IconFilter } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { Span } from '@/shared/api/types';
import { clause } from '@/shared/filter/clauses';
import { duration, full } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { Copy, KV, Tag } from '@/shared/ui/Bits';
import { Json } from '@/shared/ui/Json';
import { fieldOf, flatten } from './flatten';
import { useSource } from './source';
import s from './Trace.module.css';

const mono = (v?: string) => v && <span className="mono">{v}</span>;

/** A value with a way to all spans that have it too. */
function By({ field, value, children }: { field: string; value?: string; children?: React.ReactNode }) {
  const t = useT();
  const { shared } = useSource();
  if (!value) return null;
  return (
    <span className={s.by}>
      {children ?? value}
      {!shared && (
        <Link to="/traces" search={{ q: clause(field, [value]) }} aria-label={t('filter.by', { v: value })} title={t('filter.by', { v: value })}>
          <IconFilter size={12} />
        </Link>
      )}
    </span>
  );
}

export function AttributesTab({ span }: { span: Span }) {
  const t = useT();
  const lang = useLang();
  const { shared } = useSource();
  const by = (field: string, value?: string) => (value ? <By field={field} value={value} /> : undefined);
  return (
    <>
      <KV
        rows={[
          [t('c.name'), by('name', span.name)],
          [t('f.kind'), by('kind', span.kind)],
          [t('c.start'), <span className="num">{full(span.start, lang)}</span>],
          [t('f.model'), by('model', span.model)],
          [t('f.upstream'), mono(span.upstream_model)],
          [t('f.provider'), by('provider', span.provider)],
          [t('f.deployment'), by('deployment', span.deployment)],
          [t('f.dialect'), mono(span.dialect)],
          [t('f.operation'), span.operation],
          [t('f.source'), span.source && <>{span.source} {span.mapping != null && span.mapping !== '' && <Tag title={t('f.mapping')}>{span.mapping}</Tag>}</>],
          [t('f.service'), by('service', span.service)],
          [t('f.environment'), by('environment', span.environment)],
          [t('f.release'), by('release', span.release)],
          [t('f.scope'), mono(span.scope)],
          [t('f.prompt'), span.prompt && `${span.prompt.name} ${span.prompt.version ?? ''}`],
          [t('f.experiment'), span.experiment],
          [t('f.user'), by('user', span.user)],
          [t('f.email'), by('email', span.email)],
          [t('f.team'), span.team_alias || span.team],
          [t('f.key'), by('key_alias', span.key_alias) ?? span.key],
          [t('f.enduser'), by('end_user', span.end_user)],
          [t('f.session'), span.session && (shared ? mono(span.session) : <Link to="/sessions/$session" params={{ session: span.session }} className="mono">{span.session}</Link>)],
          [t('f.tag'), span.tags?.length ? span.tags.map((x) => <By key={x} field="tag" value={x}><Tag>{x}</Tag></By>) : undefined],
          [t('f.client'), [span.client, span.client_version].filter(Boolean).join(' ')],
          ['User-Agent', mono(span.user_agent)],
          ['IP', mono(span.ip)],
          [t('f.request'), mono(span.request_id)],
          [t('f.span'), span.id && <span className="mono">{span.id} <Copy text={span.id} size={18} /></span>],
        ]}
      />
      <Group title={t('attr.params')} value={span.params} />
      <Group title={t('attr.metadata')} value={span.metadata} field="metadata" />
      <Group title={t('attr.attributes')} value={span.attributes} field="attributes" />
      <Group title={t('attr.resource')} value={span.resource} field="resource" />
      <Events span={span} />
      <Links span={span} />
    </>
  );
}

const many = 12;

/** Attributes by path, one a line; a long list can be narrowed. */
function Group({ title, value, field }: { title: string; value: unknown; field?: string }) {
  const t = useT();
  const [words, setWords] = useState('');
  const all = useMemo(() => flatten(value), [value]);
  if (all.length === 0) return null;
  const w = words.trim().toLowerCase();
  const rows = w === '' ? all : all.filter((r) => r.path.toLowerCase().includes(w) || r.text.toLowerCase().includes(w));
  return (
    <section>
      <div className={s.groupHead}>
        <h2 className={s.h}>{title} <span className="dim num">{all.length}</span></h2>
        {all.length > many && <TextInput size="xs" aria-label={t('attr.narrow', { title })} placeholder={t('attr.narrow.short')} value={words} onChange={(e) => setWords(e.currentTarget.value)} />}
      </div>
      <dl className={s.attrs}>
        {rows.slice(0, 400).map((r) => (
          <div key={r.path} className={s.attr}>
            <dt className="mono">{r.path}</dt>
            <dd>
              {r.body ? <span className="dim">{t(r.body === 'input' ? 'attr.in' : 'attr.out')}</span> : <Scalar value={r.value} text={r.text} />}
              {field && r.text.length <= 200 && r.text !== '' && <Narrow field={fieldOf(field, r.path)} text={r.text} raw={r.value} />}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Narrow({ field, text, raw }: { field?: string; text: string; raw: unknown }) {
  const t = useT();
  const { shared } = useSource();
  if (shared || !field) return null;
  const q = typeof raw === 'number' || typeof raw === 'boolean' ? `${field} = ${text}` : clause(field, [text]);
  return (
    <Link className={s.narrow} to="/traces" search={{ q }} aria-label={t('filter.by', { v: text })} title={t('filter.by', { v: q })}>
      <IconFilter size={12} />
    </Link>
  );
}

function Scalar({ value, text }: { value: unknown; text: string }) {
  if (typeof value === 'object' && value !== null) return <Json value={value} open={1} />;
  if (text.length > 600 || /\n/.test(text)) return <Json value={value} open={1} />;
  return <span className="mono">{text}</span>;
}

function Events({ span }: { span: Span }) {
  const t = useT();
  const events = span.events ?? [];
  if (events.length === 0) return null;
  const at = (iso?: string) => (iso ? `+${duration(Math.max(0, Date.parse(iso) - Date.parse(span.start)))}` : '');
  return (
    <section>
      <h2 className={s.h}>{t('attr.events')} <span className="dim num">{events.length}</span></h2>
      {events.slice(0, 200).map((e, i) => (
        <div key={i} className={s.event}>
          <strong className={e.name === 'exception' ? 'err' : undefined}>{e.name}</strong> <span className="dim2 num">{at(e.time)}</span>
          {e.attributes != null && Object.keys(e.attributes as object).length > 0 && <Json value={e.attributes} open={e.name === 'exception' ? 1 : 0} />}
        </div>
      ))}
    </section>
  );
}

function Links({ span }: { span: Span }) {
  const t = useT();
  const { shared } = useSource();
  const links = span.links ?? [];
  if (links.length === 0) return null;
  return (
    <section>
      <h2 className={s.h}>{t('attr.links')} <span className="dim num">{links.length}</span></h2>
      {links.map((l, i) => (
        <div key={i} className={s.event}>
          {shared ? mono(l.trace) : <Link to="/traces/$trace" params={{ trace: l.trace }} search={{ span: l.span }} className="mono">{l.trace}</Link>} <span className="dim2 mono">{l.span}</span>
          {l.attributes != null && Object.keys(l.attributes as object).length > 0 && <Json value={l.attributes} open={0} />}
        </div>
      ))}
    </section>
  );
}
