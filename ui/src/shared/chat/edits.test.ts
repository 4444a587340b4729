import { expect, it } from 'vitest';
import { diffLines, editOf } from './edits';
import { markdown } from './markdown';
import { splitXmlTools } from './xmltools';

const text = (a: string, b: string) => diffLines(a, b).map((l) => l.mark + l.text);

it('diffs by line', () => expect(text('a\nb\nc', 'a\nx\nc')).toEqual([' a', '-b', '+x', ' c']));
it('shows a new file as added', () => expect(text('', 'a\nb')).toEqual(['+a', '+b']));
it('keeps every line of both sides', () => {
  const d = diffLines('1\n2\n3\n4', '2\n4\n5');
  expect(d.filter((l) => l.mark !== '+').map((l) => l.text)).toEqual(['1', '2', '3', '4']);
  expect(d.filter((l) => l.mark !== '-').map((l) => l.text)).toEqual(['2', '4', '5']);
});
it('knows edits by their arguments', () => {
  expect(editOf('Edit', { file_path: 'a', old_string: 'x', new_string: 'y' })).toEqual({ path: 'a', created: false, hunks: [{ before: 'x', after: 'y' }] });
  expect(editOf('write_to_file', { path: 'a', content: 'z' })).toMatchObject({ created: true });
  expect(editOf('replace_in_file', { path: 'a', diff: '------- SEARCH\nold\n=======\nnew\n+++++++ REPLACE' })?.hunks).toEqual([{ before: 'old', after: 'new' }]);
  expect(editOf('replace_in_file', { path: 'a', diff: '<<<<<<< SEARCH\nold\n=======\n>>>>>>> REPLACE' })?.hunks).toEqual([{ before: 'old', after: '' }]);
  expect(editOf('MultiEdit', { file_path: 'a', edits: [{ old_string: '1', new_string: '2' }, { old_string: '3', new_string: '4' }] })?.hunks).toHaveLength(2);
});
it.each([['read_file', { path: 'a' }], ['list', { path: 'a', content: 'x' }], ['f', 'text'], ['f', null]])('%s is no edit', (n, a) => expect(editOf(n, a)).toBeUndefined());

it('finds tool calls in text', () =>
  expect(splitXmlTools('I write.\n<write_to_file>\n<path>a.ts</path>\n<content>\nx < 1\n</content>\n</write_to_file>')).toEqual([
    { kind: 'text', text: 'I write.' },
    { kind: 'call', id: '', name: 'write_to_file', args: { path: 'a.ts', content: 'x < 1' }, xml: true },
  ]));
it('leaves other markup and unclosed tools alone', () => expect(splitXmlTools('<b>x</b> <read_file>')).toEqual([{ kind: 'text', text: '<b>x</b> <read_file>' }]));

it('reads markdown blocks', () => expect(markdown('# T\ntext **b** `c`\n\n- a\n- b\n\n```go\nx\n```\n|a|b|\n|-|-|\n').map((b) => b.t)).toEqual(['h', 'p', 'list', 'code', 'table']));
it('ends an open fence with the text', () => expect(markdown('```\nx')).toEqual([{ t: 'code', lang: '', v: 'x' }]));
it('links only http', () => expect(JSON.stringify(markdown('[a](javascript:alert(1)) [b](https://example.com)'))).not.toContain('"href":"javascript'));
it('always ends', () => {
  for (const s of ['---', '***', '>', '-', '|', '####', '``', '\n\n', '* * *', '1.', '|x|\n---']) expect(markdown(s).length).toBeLessThan(5);
});
