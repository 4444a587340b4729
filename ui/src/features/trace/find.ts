/** A run of text and the block it stands in: a word may span pieces of one block, never two blocks. */
export interface Piece {
  text: string;
  block: unknown;
}

/** Where a hit begins and ends: piece and offset. */
export interface Hit {
  from: [piece: number, offset: number];
  to: [piece: number, offset: number];
}

const most = 2000;

/** Every place of the words, whatever their case. */
export function find(pieces: Piece[], words: string): Hit[] {
  if (words === '') return [];
  const starts: number[] = [];
  let text = '';
  pieces.forEach((p, i) => {
    if (i > 0 && p.block !== pieces[i - 1]!.block) text += '\n';
    starts.push(text.length);
    text += p.text;
  });
  const out: Hit[] = [];
  const re = new RegExp(words.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu');
  let i = 0;
  const upTo = (at: number) => {
    while (i + 1 < starts.length && starts[i + 1]! <= at) i++;
    return i;
  };
  for (const m of text.matchAll(re)) {
    const a = upTo(m.index);
    const end = m.index + m[0].length;
    const b = upTo(end - 1);
    out.push({ from: [a, m.index - starts[a]!], to: [b, end - starts[b]!] });
    if (out.length === most) break;
  }
  return out;
}
