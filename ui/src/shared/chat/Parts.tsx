import { IconBrain, IconChevronDown, IconChevronRight, IconCornerDownRight, IconFile, IconTool } from '@tabler/icons-react';
import { useMemo, useState, type ReactNode } from 'react';
import { int } from '../format/format';
import { useLang, useT } from '../i18n';
import { Tag } from '../ui/Bits';
import { Code } from '../ui/Code';
import { Json } from '../ui/Json';
import s from './Chat.module.css';
import { diffLines, editOf, type Edit } from './edits';
import { Markdown } from './Markdown';
import type { Part } from './types';
import { splitXmlTools } from './xmltools';

export function Fold({ head, open = false, children }: { head: ReactNode; open?: boolean; children: () => ReactNode }) {
  const [isOpen, setOpen] = useState(open);
  return (
    <div className={s.fold}>
      <button type="button" className={s.foldHead} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? <IconChevronDown size={13} /> : <IconChevronRight size={13} />}
        {head}
      </button>
      {isOpen && <div className={s.foldBody}>{children()}</div>}
    </div>
  );
}

export function PartView({ part, role }: { part: Part; role?: string }) {
  switch (part.kind) {
    case 'text':
      return <TextPart text={part.text} role={role} />;
    case 'thinking':
      return <Thinking text={part.text} redacted={part.redacted} />;
    case 'call':
      return <Call name={part.name} args={part.args} />;
    case 'result':
      return <Result name={part.name} error={part.error} parts={part.parts} />;
    case 'image':
      return <Image src={part.src} inline={part.inline} />;
    case 'audio':
      return <Audio src={part.src} name={part.name || part.mime} inline={part.inline} />;
    case 'document':
      return <Document name={part.name} mime={part.mime} text={part.text} src={part.src} />;
    case 'raw':
      return <Json value={part.value} />;
  }
}

const longText = 4000;
const markdownText = 60_000; // beyond this a text is shown as it is, in pieces, since drawing it whole would stop the page

function TextPart({ text, role }: { text: string; role?: string }) {
  const t = useT();
  const lang = useLang();
  const [all, setAll] = useState(false);
  const parts = useMemo(() => (role === 'assistant' && text.length < 1_000_000 ? splitXmlTools(text) : undefined), [text, role]);
  if (parts && (parts.length > 1 || parts[0]?.kind !== 'text')) return parts.map((p, i) => <PartView key={i} part={p} />);
  const cut = !all && text.length > longText;
  if (all && text.length > markdownText) return <Code text={text} wrap />;
  return (
    <>
      <Markdown text={cut ? text.slice(0, longText) : text} />
      {cut && (
        <button type="button" className={s.long} onClick={() => setAll(true)}>
          {t('text.more', { n: int(text.length - longText, lang) })}
        </button>
      )}
    </>
  );
}

function Thinking({ text, redacted }: { text: string; redacted?: boolean }) {
  const t = useT();
  const head = (
    <>
      <IconBrain size={14} color="var(--w-kind-agent)" />
      <span>{t('thinking')}</span>
      <span className="dim ellipsis">{redacted ? t('thinking.redacted') : text.split('\n')[0]}</span>
    </>
  );
  return <Fold head={head}>{() => <div className={s.thinking}>{redacted ? t('thinking.redacted.long') : text.length > markdownText ? <Code text={text} wrap /> : text}</div>}</Fold>;
}

function Call({ name, args }: { name: string; args: unknown }) {
  const edit = useMemo(() => editOf(name, args), [name, args]);
  const { rest, blocks } = useMemo(() => (edit ? { rest: args, blocks: [] } : splitArgs(args)), [edit, args]);
  const text = useMemo(() => (rest === undefined ? '' : typeof rest === 'string' ? rest : JSON.stringify(rest, null, 2)), [rest]);
  const only = typeof rest === 'object' && rest !== null && Object.keys(rest).length <= 2 && text.length < 160 && !text.includes('\\n');
  return (
    <div className={s.call}>
      <div className={s.callHead}>
        <IconTool size={14} color="var(--w-kind-tool)" style={{ flex: 'none' }} />
        <span className={s.callName}>{name}</span>
        {edit ? <span className="ellipsis dim2">{edit.path}</span> : only && <span className={`dim2 ${s.inline}`}>{inlineArgs(rest)}</span>}
      </div>
      {edit ? <Diff edit={edit} /> : !only && text !== '' && <Code text={text} />}
      {blocks.map(([k, v]) => (
        <Code key={k} text={v} title={k} wrap />
      ))}
    </div>
  );
}

/** Arguments of several lines, such as scripts and queries, stand by themselves: escaped in JSON they cannot be read. */
export function splitArgs(args: unknown): { rest: unknown; blocks: [string, string][] } {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return { rest: args, blocks: [] };
  const all = Object.entries(args as Record<string, unknown>);
  const blocks = all.filter((e): e is [string, string] => typeof e[1] === 'string' && e[1].trim().includes('\n'));
  const rest = all.filter(([, v]) => !(typeof v === 'string' && v.trim().includes('\n')));
  return { rest: rest.length > 0 || blocks.length === 0 ? Object.fromEntries(rest) : undefined, blocks };
}

function inlineArgs(args: object): string {
  return Object.entries(args).map(([k, v]) => `${k}=${typeof v === 'string' ? v : JSON.stringify(v)}`).join('  ');
}

export function Diff({ edit }: { edit: Edit }) {
  const t = useT();
  const text = useMemo(
    () => edit.hunks.map((h) => diffLines(h.before, h.after).map((l) => `${l.mark} ${l.text}`).join('\n')).join('\n  ⋯\n'),
    [edit],
  );
  const added = text.split('\n').filter((l) => l.startsWith('+')).length;
  const gone = text.split('\n').filter((l) => l.startsWith('-')).length;
  const title = (
    <>
      {edit.path} <span className="ok">+{added}</span> {!edit.created && <span className="err">−{gone}</span>} {edit.created && <Tag>{t('file.whole')}</Tag>}
    </>
  );
  return (
    <Code text={text} title={title}>
      {(visible) => (
        <span className={s.diff}>
          {visible.split('\n').map((l, i) => (
            <span key={i} className={`${s.dl} ${l[0] === '+' ? s.add : l[0] === '-' ? s.del : ''}`}>
              <span className={s.mark}>{l[0] === '-' ? '−' : l[0]}</span>
              {l.slice(2) || ' '}
            </span>
          ))}
        </span>
      )}
    </Code>
  );
}

function Result({ name, parts, error }: { name?: string; parts: Part[]; error: boolean }) {
  const t = useT();
  return (
    <div className={s.call}>
      <div className={s.callHead}>
        <IconCornerDownRight size={14} color="var(--w-text-3)" style={{ flex: 'none' }} />
        <span className="dim2">{name ? t('result.of', { name }) : t('result')}</span>
        {error && <Tag tone="err">{t('status.error')}</Tag>}
      </div>
      {parts.map((p, i) => (p.kind === 'text' ? <Code key={i} text={p.text} wrap /> : <PartView key={i} part={p} />))}
    </div>
  );
}

/** Inline images are shown. An address is only linked: loading it would tell its host who reads this trace. */
function Image({ src, inline }: { src: string; inline: boolean }) {
  const t = useT();
  if (inline) return <img className={s.image} src={src} alt={t('image')} loading="lazy" />;
  if (!/^https?:/.test(src)) return <Tag>{src}</Tag>;
  return (
    <a href={src} target="_blank" rel="noreferrer noopener">
      {t('image')}: {src}
    </a>
  );
}

function Audio({ src, name, inline }: { src: string; name: string; inline: boolean }) {
  if (inline) return <audio className={s.audio} controls preload="metadata" src={src} aria-label={name} />;
  if (!/^https?:/.test(src)) return <Tag>{src || name}</Tag>;
  return (
    <a href={src} target="_blank" rel="noreferrer noopener">
      {name}: {src}
    </a>
  );
}

function Document({ name, mime, text, src }: { name: string; mime: string; text?: string; src?: string }) {
  const t = useT();
  return (
    <div className={s.call}>
      <div className={s.callHead}>
        <IconFile size={14} />
        <span className="ellipsis">{name || mime}</span>
        {name && mime && <Tag>{mime}</Tag>}
        {src && /^(https?:|data:)/.test(src) && (
          <a href={src} {...(src.startsWith('data:') ? { download: name || 'file' } : { target: '_blank' })} rel="noreferrer noopener">
            {t(src.startsWith('data:') ? 'file.save' : 'file.open')}
          </a>
        )}
      </div>
      {text && <Code text={text} wrap />}
    </div>
  );
}
