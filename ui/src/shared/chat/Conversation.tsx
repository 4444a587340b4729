import { Fragment, memo } from 'react';
import { int } from '../format/format';
import { useLang, useT, type Key } from '../i18n';
import { Copy, Tag } from '../ui/Bits';
import { Json } from '../ui/Json';
import s from './Chat.module.css';
import { plain } from './normalize';
import { Fold, PartView } from './Parts';
import type { Message, Part, ToolDef } from './types';

const roles: Record<string, { key: Key; color: string }> = {
  system: { key: 'role.system', color: 'var(--w-role-system)' },
  user: { key: 'role.user', color: 'var(--w-role-user)' },
  assistant: { key: 'role.assistant', color: 'var(--w-role-assistant)' },
  tool: { key: 'role.tool', color: 'var(--w-kind-tool)' },
};

export const MessageView = memo(function MessageView({ message, tag }: { message: Message; tag?: string }) {
  const t = useT();
  const r = roles[message.role] ?? roles.user!;
  return (
    <section className={s.msg} style={{ '--role': r.color } as React.CSSProperties}>
      <div className={s.role}>
        {t(r.key)}
        {message.name && <span className="mono dim2">{message.name}</span>}
        {message.cached && <Tag title={t('cachepoint.hint')}>{t('cachepoint')}</Tag>}
        {tag && <Tag tone="accent">{tag}</Tag>}
        {message.parts.some((p) => p.kind === 'text' && p.text !== '') && (
          <span className={s.copy}>
            <Copy text={() => plain(message.parts)} size={20} />
          </span>
        )}
      </div>
      {message.parts.length === 0 && <span className="dim">{t('message.empty')}</span>}
      {message.parts.map((p, i) => (
        <PartView key={i} part={p} role={message.role} />
      ))}
    </section>
  );
});

/** The system prompt, folded: it is long and always the same. */
export function SystemView({ parts }: { parts: Part[] }) {
  const t = useT();
  const lang = useLang();
  const text = plain(parts);
  if (parts.length === 0) return null;
  const head = (
    <>
      <strong>{t('role.system')}</strong>
      <span className="dim ellipsis">{text.slice(0, 160).replace(/\s+/g, ' ')}</span>
      <span className="dim num" style={{ marginLeft: 'auto', whiteSpace: 'nowrap' }}>{t('chars', { n: int(text.length, lang) })}</span>
    </>
  );
  return <Fold head={head}>{() => parts.map((p, i) => <PartView key={i} part={p} />)}</Fold>;
}

export function ToolsView({ tools }: { tools: ToolDef[] }) {
  const t = useT();
  if (tools.length === 0) return null;
  const head = (
    <>
      <strong>{t('tools.n', { n: tools.length })}</strong>
      <span className="dim ellipsis mono">{tools.map((x) => x.name).join(' ')}</span>
    </>
  );
  return (
    <Fold head={head}>
      {() =>
        tools.map((x) => (
          <div key={x.name}>
            <strong className="mono">{x.name}</strong> <span className="dim2">{x.description.slice(0, 400)}</span>
            <Json value={x.schema} open={0} />
          </div>
        ))
      }
    </Fold>
  );
}

/** `fresh` is the first message the call before did not have: a line is drawn above it. */
export function Messages({ messages, fresh = 0, children }: { messages: Message[]; fresh?: number; children?: React.ReactNode }) {
  const t = useT();
  return (
    <div className={s.conv}>
      {messages.map((m, i) => (
        <Fragment key={i}>
          {i > 0 && i === fresh && (
            <div className={s.fresh} role="separator">
              <span>{t('messages.new', { n: messages.length - fresh })}</span>
            </div>
          )}
          <MessageView message={m} />
        </Fragment>
      ))}
      {children}
    </div>
  );
}
