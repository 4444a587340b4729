import { ActionIcon, Menu } from '@mantine/core';
import { IconBan, IconDots, IconLock, IconLockOpen, IconPencil, IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { KeyInfo } from '@/shared/api/types';
import { BudgetBar } from '@/shared/budget/BudgetBar';
import { used } from '@/shared/budget/budget';
import { clause } from '@/shared/filter/clauses';
import { ago, compact, full, money } from '@/shared/format/format';
import { useLang, useT, type Key } from '@/shared/i18n';
import { periodNames } from '@/shared/keydialog/draft';
import { Tag, type Tone } from '@/shared/ui/Bits';
import s from './Keys.module.css';
import { stateOf, type State } from './state';

export type Act = 'edit' | 'block' | 'unblock' | 'delete';

const states: Record<State, { key: Key; tone: Tone }> = {
  ok: { key: 'key.state.ok', tone: 'ok' },
  blocked: { key: 'key.state.blocked', tone: 'err' },
  expired: { key: 'key.state.expired', tone: 'warn' },
  spent: { key: 'key.state.spent', tone: 'err' },
};

export function KeyTable({ rows, onAct }: { rows: KeyInfo[]; onAct: (k: KeyInfo, a: Act) => void }) {
  const t = useT();
  return (
    <table className={s.table}>
      <thead>
        <tr>
          <th>{t('key.alias')}</th>
          <th>{t('f.status')}</th>
          <th className={s.wide}>{t('f.user')}</th>
          <th className={s.wide}>{t('f.team')}</th>
          <th className={s.wide}>{t('f.models')}</th>
          <th>{t('key.spend')}</th>
          <th className={s.wide}>{t('key.limits')}</th>
          <th className={s.wide}>{t('key.expires')}</th>
          <th className={s.wide}>{t('key.lastused')}</th>
          <th><span className="sr">{t('actions')}</span></th>
        </tr>
      </thead>
      <tbody>
        {rows.map((k) => (
          <Row key={k.id} k={k} onAct={onAct} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ k, onAct }: { k: KeyInfo; onAct: (k: KeyInfo, a: Act) => void }) {
  const t = useT();
  const lang = useLang();
  const state = states[stateOf(k)];
  return (
    <tr>
      <td>
        <div>{k.alias ? <Link to="/traces" search={{ q: clause('key_alias', [k.alias]) }}>{k.alias}</Link> : <span className="dim">{t('unset')}</span>}</div>
        <div className="mono dim">{k.name}</div>
        {k.tags && k.tags.length > 0 && <div className={s.models}>{k.tags.map((x) => <Tag key={x}>{x}</Tag>)}</div>}
      </td>
      <td>
        <Tag tone={state.tone}>{t(state.key)}</Tag> {k.origin === 'file' && <Tag title={t('key.file.hint')}>{t('key.file')}</Tag>}
      </td>
      <td className={s.wide}>{k.email || k.user}</td>
      <td className={s.wide}>{k.team_alias || k.team}</td>
      <td className={s.wide}><div className={s.models}>{k.models?.length ? k.models.map((m) => <Tag key={m}>{m}</Tag>) : <span className="dim">{t('key.models.all')}</span>}</div></td>
      <td><Spend k={k} /></td>
      <td className={`${s.wide} num`}><Limits k={k} /></td>
      <td className={`${s.wide} num`} title={k.expires ? full(k.expires, lang) : undefined}>{k.expires ? ago(k.expires, lang) : <span className="dim">{t('never')}</span>}</td>
      <td className={`${s.wide} num`} title={k.last_used ? full(k.last_used, lang) : undefined}>{k.last_used ? ago(k.last_used, lang) : <span className="dim">{t('never')}</span>}</td>
      <td className={s.r}><Actions k={k} onAct={onAct} /></td>
    </tr>
  );
}

function Spend({ k }: { k: KeyInfo }) {
  const t = useT();
  const lang = useLang();
  const share = used(k);
  return (
    <div className="num" title={k.budget_reset_at ? t('key.resets', { when: full(k.budget_reset_at, lang) }) : undefined}>
      {money(k.spend_usd ?? 0, lang)}
      {k.max_budget_usd != null && <span className="dim2"> / {money(k.max_budget_usd, lang)} {k.budget_period && (periodNames[k.budget_period] ? t(periodNames[k.budget_period]!) : k.budget_period)}</span>}
      {share !== undefined && <div className={s.bar}><BudgetBar share={share} label={t('key.budget')} /></div>}
    </div>
  );
}

function Limits({ k }: { k: KeyInfo }) {
  const t = useT();
  if (!k.rpm && !k.tpm) return <span className="dim">–</span>;
  return (
    <>
      {k.rpm ? <div>{t('key.rpm.n', { n: compact(k.rpm) })}</div> : null}
      {k.tpm ? <div>{t('key.tpm.n', { n: compact(k.tpm) })}</div> : null}
    </>
  );
}

function Actions({ k, onAct }: { k: KeyInfo; onAct: (k: KeyInfo, a: Act) => void }) {
  const t = useT();
  if (k.origin === 'file') return <IconLock size={14} color="var(--w-text-3)" aria-label={t('key.file.hint')} />;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label={`${t('actions')}: ${k.alias || k.name || k.id}`}>
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={14} />} onClick={() => onAct(k, 'edit')}>{t('key.edit')}</Menu.Item>
        {k.blocked ? (
          <Menu.Item leftSection={<IconLockOpen size={14} />} onClick={() => onAct(k, 'unblock')}>{t('key.unblock')}</Menu.Item>
        ) : (
          <Menu.Item leftSection={<IconBan size={14} />} onClick={() => onAct(k, 'block')}>{t('key.block')}</Menu.Item>
        )}
        <Menu.Item c="var(--w-err)" leftSection={<IconTrash size={14} />} onClick={() => onAct(k, 'delete')}>{t('key.delete')}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
