import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { facetsQuery, type Scope } from '../api/queries';
import { compact } from '../format/format';
import { useT, type Key } from '../i18n';
import { pref } from '../theme/prefs';
import { chosen, replace, toggle } from './clauses';
import s from './FilterBar.module.css';

const fields: { name: string; label: Key }[] = [
  { name: 'status', label: 'f.status' },
  { name: 'model', label: 'f.model' },
  { name: 'kind', label: 'f.kind' },
  { name: 'service', label: 'f.service' },
  { name: 'environment', label: 'f.environment' },
  { name: 'client', label: 'f.client' },
  { name: 'user', label: 'f.user' },
  { name: 'key_alias', label: 'f.key' },
  { name: 'team_alias', label: 'f.team' },
  { name: 'provider', label: 'f.provider' },
  { name: 'error_type', label: 'f.error_type' },
  { name: 'tag', label: 'f.tag' },
];

const closedPref = pref<string[]>('facets.closed', ['provider', 'error_type', 'tag', 'team_alias', 'environment', 'key_alias'], (v) => (Array.isArray(v) ? v.map(String) : []));

/** Facets of the current selection. Values of a field are counted without its own clause, so that they can be widened. */
export function Facets({ scope, onApply }: { scope: Scope; onApply: (filter: string) => void }) {
  const t = useT();
  return (
    <nav className={s.facets} aria-label={t('facets')}>
      {fields.map((f) => (
        <Facet key={f.name} field={f.name} label={t(f.label)} scope={scope} onApply={onApply} />
      ))}
    </nav>
  );
}

function Facet({ field, label, scope, onApply }: { field: string; label: string; scope: Scope; onApply: (filter: string) => void }) {
  const closed = closedPref.use();
  const filter = scope.filter ?? '';
  const on = chosen(filter, field);
  const open = !closed.includes(field) || on.length > 0;
  const q = useQuery({ ...facetsQuery(field, { ...scope, filter: replace(filter, field, []) }, '', 8), enabled: open });
  const values = q.data?.values ?? [];
  const rows = [...values, ...on.filter((v) => !values.some((x) => x.value === v)).map((value) => ({ value, count: 0 }))];
  const flip = () => closedPref.set(open ? [...closed, field] : closed.filter((c) => c !== field));
  return (
    <section>
      <button type="button" className={s.facetHead} aria-expanded={open} onClick={flip}>
        {open ? <IconChevronDown size={12} /> : <IconChevronRight size={12} />}
        {label}
      </button>
      {open &&
        rows.map((v) => (
          <button key={v.value} type="button" className={s.facet} aria-pressed={on.includes(v.value)} title={v.value} onClick={() => onApply(toggle(filter, field, v.value))}>
            <span className="ellipsis">{v.value}</span>
            <span className={s.count}>{compact(v.count)}</span>
          </button>
        ))}
    </section>
  );
}
