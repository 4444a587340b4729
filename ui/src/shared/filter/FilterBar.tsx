import { ActionIcon } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useMemo, useRef, useState } from 'react';
import { ApiError } from '../api/client';
import { checkQuery, pathsQuery } from '../api/observe';
import { facetsQuery, fieldsQuery, type Scope } from '../api/queries';
import { useT } from '../i18n';
import { useHotkeys } from '../keys/hotkeys';
import { expectAt, indexOfByte } from './clauses';
import s from './FilterBar.module.css';
import { pathAt, suggest, suggestPaths, textual, type Suggestion } from './suggest';

/** The search bar: the filter language with completion. `/` focuses it, Enter applies, Escape leaves. */
export function FilterBar({ value, onApply, scope, error }: { value: string; onApply: (f: string) => void; scope: Scope; error?: unknown }) {
  const t = useT();
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    setText(value);
  }
  const [cursor, setCursor] = useState(0);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const expect = useMemo(() => expectAt(text, cursor), [text, cursor]);
  const fields = useQuery({ ...fieldsQuery, enabled: open });
  const field = fields.data?.fields.find((f) => f.name === expect.field || expect.field?.startsWith(f.name + '.'));
  const [prefix] = useDebouncedValue(expect.prefix, 120);
  const wantsFacets = open && expect.want === 'value' && textual(field?.type);
  const facets = useQuery({ ...facetsQuery(expect.field ?? '', { ...scope, filter: '' }, prefix), enabled: wantsFacets });
  const path = open ? pathAt(expect) : undefined;
  const [pathPrefix] = useDebouncedValue(path?.prefix ?? '', 120);
  const paths = useQuery({ ...pathsQuery(path?.field ?? '', { ...scope, filter: '' }, pathPrefix), enabled: path !== undefined });
  const list = !open ? [] : path ? suggestPaths(path, paths.data?.paths ?? []) : suggest(expect, fields.data?.fields ?? [], (wantsFacets && facets.data?.values) || []).slice(0, 12);
  const [settled] = useDebouncedValue(text, 350);
  const typed = text !== value && settled === text && text.trim() !== '';
  const check = useQuery({ ...checkQuery(text), enabled: typed });
  const fault = typed ? check.data?.error : undefined;

  useHotkeys({ '/': () => input.current?.focus() });
  useEffect(() => setAt(-1), [text, cursor]);

  const goTo = (place: number) => {
    input.current?.focus();
    requestAnimationFrame(() => input.current?.setSelectionRange(place, text.length));
  };
  const apply = (f: string) => {
    setOpen(false);
    if (fault && f === text) return goTo(indexOfByte(text, fault.position));
    onApply(f.trim());
  };
  const take = (x: Suggestion) => {
    const next = text.slice(0, expect.from) + x.insert + text.slice(expect.to).trimStart();
    const c = expect.from + x.insert.length;
    setText(next);
    setCursor(c);
    requestAnimationFrame(() => input.current?.setSelectionRange(c, c));
  };
  const onKey = (e: React.KeyboardEvent) => {
    if (e.nativeEvent.isComposing) return; // the Enter that ends a Japanese conversion
    if (e.key === 'ArrowDown' && list.length > 0) setAt((at + 1) % list.length);
    else if (e.key === 'ArrowUp' && list.length > 0) setAt(at <= 0 ? list.length - 1 : at - 1);
    else if ((e.key === 'Enter' || e.key === 'Tab') && at >= 0 && list[at]) take(list[at]);
    else if (e.key === 'Tab' && open && expect.prefix && list[0]) take(list[0]);
    else if (e.key === 'Enter') apply(text);
    else if (e.key === 'Escape') input.current?.blur();
    else return;
    e.preventDefault();
  };
  const refused = text === value && error instanceof ApiError && error.field === 'filter' ? error : undefined;
  const bad = fault ?? refused;
  const place = bad?.position === undefined ? undefined : indexOfByte(text, bad.position);
  return (
    <div className={s.wrap}>
      <div className={s.field} data-bad={bad ? true : undefined}>
        <IconSearch size={14} aria-hidden />
        <input
          ref={input} className={s.input} value={text} spellCheck={false} autoComplete="off" autoCapitalize="off" placeholder={t('filter.placeholder')}
          role="combobox" aria-label={t('filter.label')} aria-expanded={list.length > 0} aria-controls={id} aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
          onChange={(e) => {
            setText(e.currentTarget.value);
            setCursor(e.currentTarget.selectionStart ?? e.currentTarget.value.length);
            setOpen(true);
          }}
          onSelect={(e) => setCursor(e.currentTarget.selectionStart ?? 0)}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={onKey}
        />
        {text === '' ? (
          <kbd className={s.kbd}>/</kbd>
        ) : (
          <ActionIcon size={20} aria-label={t('filter.clear')} onClick={() => (setText(''), apply(''))}>
            <IconX size={13} />
          </ActionIcon>
        )}
      </div>
      <ul id={id} className={s.list} role="listbox" aria-label={t('filter.suggestions')} hidden={list.length === 0} onMouseDown={(e) => e.preventDefault()}>
        {list.map((x, i) => (
          <li key={x.insert} id={`${id}-${i}`} role="option" aria-selected={i === at} className={s.item} onClick={() => take(x)}>
            <span className="ellipsis">{x.label}</span>
            {x.hint && <span className={s.hint}>{x.hint}</span>}
          </li>
        ))}
      </ul>
      {bad && list.length === 0 && (
        <div className={s.error} role="alert" onMouseDown={(e) => e.preventDefault()} onClick={() => place !== undefined && goTo(place)}>
          {bad.message}
          {place !== undefined && (
            <>
              {' '}
              <code className="mono">
                {text.slice(Math.max(0, place - 12), place)}
                <mark>{text.slice(place, place + 12) || '␣'}</mark>
              </code>
            </>
          )}
        </div>
      )}
    </div>
  );
}
