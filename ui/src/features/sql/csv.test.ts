import { expect, it } from 'vitest';
import { csv, lineOf } from './csv';

it('quotes what needs it', () => expect(csv([{ name: 'a' }, { name: 'b,c' }], [['say "hi"', null], [1, { x: [1] }], ['日本\n語', false]])).toBe('a,"b,c"\r\n"say ""hi""",\r\n1,"{""x"":[1]}"\r\n"日本\n語",false\r\n'));
it('counts lines from one', () => expect([lineOf('select\n nope', 8), lineOf('x', 0)]).toEqual([{ line: 2, column: 2 }, { line: 1, column: 1 }]));
