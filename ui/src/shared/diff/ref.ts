/** What was pasted as `trace` or `trace/span`: an id, both, or the address of a trace page; undefined if it is none. */
export function refOf(pasted: string): string | undefined {
  const s = pasted.trim();
  const at = /traces\/([\w.:-]+)(?:\/spans\/([\w.:-]+))?/.exec(s);
  if (at) {
    const span = at[2] ?? /[?&]span=([\w.:-]+)/.exec(s)?.[1];
    return span ? `${at[1]}/${span}` : at[1];
  }
  return /^[\w.:-]{4,}(?:\/[\w.:-]+)?$/.test(s) ? s : undefined;
}

/** The parts of a reference. */
export function splitRef(ref: string): { trace: string; span?: string } {
  const [trace = '', span] = ref.split('/');
  return { trace, span: span || undefined };
}
