/** Markdown-light: what models write most, as data. No HTML ever passes through. */
export type Inline =
  | { t: 'text'; v: string }
  | { t: 'code'; v: string }
  | { t: 'bold'; v: string }
  | { t: 'em'; v: string }
  | { t: 'link'; v: string; href: string };

export type Block =
  | { t: 'p'; v: Inline[][] }
  | { t: 'h'; level: number; v: Inline[] }
  | { t: 'code'; lang: string; v: string }
  | { t: 'list'; ordered: boolean; items: { depth: number; v: Inline[]; label: string }[] }
  | { t: 'quote'; v: Inline[][] }
  | { t: 'rule' }
  | { t: 'table'; rows: Inline[][][] };

const span = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|(?<![\w*])\*([^*\s][^*\n]*)\*(?!\w)|\[([^\]\n]+)\]\((https?:\/\/[^)\s]+)\)/g;

export function inline(s: string): Inline[] {
  const out: Inline[] = [];
  let at = 0;
  for (const m of s.matchAll(span)) {
    if (m.index > at) out.push({ t: 'text', v: s.slice(at, m.index) });
    if (m[1] !== undefined) out.push({ t: 'code', v: m[1] });
    else if (m[2] !== undefined) out.push({ t: 'bold', v: m[2] });
    else if (m[3] !== undefined) out.push({ t: 'em', v: m[3] });
    else out.push({ t: 'link', v: m[4]!, href: m[5]! });
    at = m.index + m[0].length;
  }
  if (at < s.length) out.push({ t: 'text', v: s.slice(at) });
  return out;
}

const fence = /^\s*(```+|~~~+)\s*([\w+#.-]*)/;
const heading = /^(#{1,6})\s+(.*)$/;
const item = /^(\s*)([-*+]|\d{1,3}[.)])\s+(.*)$/;
const rule = /^\s*([-*_])(\s*\1){2,}\s*$/;

export function markdown(text: string): Block[] {
  const lines = text.split('\n');
  const out: Block[] = [];
  let i = 0;
  while (i < lines.length) {
    const line = lines[i]!;
    const f = fence.exec(line);
    const h = heading.exec(line);
    if (line.trim() === '') i++;
    else if (f) {
      const end = closing(lines, i + 1, f[1]!);
      out.push({ t: 'code', lang: f[2] ?? '', v: lines.slice(i + 1, end).join('\n') });
      i = end + 1;
    } else if (h) {
      out.push({ t: 'h', level: h[1]!.length, v: inline(h[2]!) });
      i++;
    } else if (rule.test(line)) {
      out.push({ t: 'rule' });
      i++;
    } else {
      const kind = kindOf(line);
      let j = i;
      while (j < lines.length && lines[j]!.trim() !== '' && kindOf(lines[j]!) === kind && !fence.test(lines[j]!)) j++;
      out.push(group(kind, lines.slice(i, j)));
      i = j;
    }
  }
  return out;
}

function closing(lines: string[], from: number, mark: string): number {
  for (let i = from; i < lines.length; i++) if (lines[i]!.trim().startsWith(mark)) return i;
  return lines.length;
}

type Kind = 'list' | 'quote' | 'table' | 'p' | 'other';

function kindOf(line: string): Kind {
  if (rule.test(line) || heading.test(line)) return 'other';
  if (item.test(line)) return 'list';
  if (/^\s*>/.test(line)) return 'quote';
  if (/^\s*\|.*\|\s*$/.test(line)) return 'table';
  return 'p';
}

function group(kind: Kind, lines: string[]): Block {
  if (kind === 'list') {
    const first = item.exec(lines[0]!)!;
    const items = lines.map((l) => {
      const m = item.exec(l)!;
      return { depth: Math.min(4, Math.floor(m[1]!.length / 2)), v: inline(m[3]!), label: m[2]! };
    });
    return { t: 'list', ordered: /\d/.test(first[2]!), items };
  }
  if (kind === 'quote') return { t: 'quote', v: lines.map((l) => inline(l.replace(/^\s*>\s?/, ''))) };
  if (kind === 'table') {
    const rows = lines.filter((l) => !/^[\s|:-]+$/.test(l)).map((l) => l.trim().slice(1, -1).split('|').map((c) => inline(c.trim())));
    return { t: 'table', rows };
  }
  return { t: 'p', v: lines.map((l) => inline(l)) };
}
