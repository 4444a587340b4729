/** The ids with `from` where `onto` is; columns that are not shown keep their places at the end. */
export function moved(shown: string[], from: string, onto: string, all: string[]): string[] {
  const at = shown.indexOf(onto);
  const rest = shown.filter((x) => x !== from);
  rest.splice(Math.max(0, at), 0, from);
  return [...rest, ...all.filter((x) => !rest.includes(x))];
}
