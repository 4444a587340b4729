import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { en } from './i18n/en';
import { ja } from './i18n/ja';
import { fill } from './i18n/index';
import { dark, light, type Token } from './theme/tokens';

const src = new URL('..', import.meta.url).pathname;
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((f) => /\.(tsx?|css)$/.test(f));
const read = (f: string) => readFileSync(join(src, f), 'utf8');

it('has raw colours in the tokens only', () => {
  const raw = /#[0-9a-f]{3,8}\b(?!-)|\brgba?\(|\bhsla?\(/i;
  const bad = files.filter((f) => !/theme\/tokens\.ts$|schema\.d\.ts$|\.test\.ts$/.test(f) && raw.test(read(f).replace(/href="#main"/, '')));
  expect(bad, 'use a token of shared/theme/tokens.ts').toEqual([]);
});

it('uses only tokens that exist', () => {
  const known = new Set([...Object.keys(light).map((k) => `--w-${k}`), '--w-font', '--w-font-mono']);
  const bad = files.flatMap((f) => [...read(f).matchAll(/var\((--w-[\w-]+)/g)].map((m) => m[1]!).filter((v) => !known.has(v)).map((v) => `${f}: ${v}`));
  expect(bad).toEqual([]);
});

it('has components of at most 300 lines', () => {
  expect(files.filter((f) => f.endsWith('.tsx') && read(f).split('\n').length > 300)).toEqual([]);
});

it('keeps features apart', () => {
  const bad = files.filter((f) => f.startsWith('features/')).flatMap((f) => {
    const own = f.split('/')[1];
    return [...read(f).matchAll(/from '(?:@\/|\.\.\/)features\/([\w-]+)/g)].filter((m) => m[1] !== own).map((m) => `${f} imports ${m[1]}`);
  });
  expect(bad, 'what two features need belongs to shared').toEqual([]);
});

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
const contrast = (a: string, b: string) => {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (x! + 0.05) / (y! + 0.05);
};
const onGround: Token[] = ['text', 'text-2', 'text-3', 'accent', 'ok', 'warn', 'err', 'info', 'role-user', 'role-assistant', 'kind-tool', 'code-key', 'code-string', 'code-number', 'code-atom'];
const pairs: [Token, Token][] = [
  ...onGround.flatMap((t): [Token, Token][] => [[t, 'bg'], [t, 'bg-2']]),
  ['text-2', 'bg-3'], ['text-3', 'bg-hover'], ['err', 'err-bg'], ['ok', 'ok-bg'], ['warn', 'warn-bg'], ['accent', 'accent-bg'], ['on-accent', 'accent'], ['text', 'bg-selected'], ['text-3', 'bg-selected'], ['ok', 'diff-add'], ['err', 'diff-del'],
];
it.each(pairs)('text %s on %s is readable in both themes', (fg, bg) => {
  expect(contrast(light[fg], light[bg]), 'light').toBeGreaterThanOrEqual(4.5);
  expect(contrast(dark[fg], dark[bg]), 'dark').toBeGreaterThanOrEqual(4.5);
});

it('has the same placeholders in both languages', () => {
  const names = (s: string) => [...s.matchAll(/\{(\w+)/g)].map((m) => m[1]).filter((n, i, all) => all.indexOf(n) === i).sort();
  for (const k of Object.keys(en) as (keyof typeof en)[]) {
    const plural = /\{(\w+)\|/.exec(en[k])?.[1];
    const want = names(en[k]).filter((n) => n !== plural || names(ja[k]).includes(n) || en[k].includes(`{${n}}`));
    expect(names(ja[k]), k).toEqual(want);
  }
});
it('translates everything', () => {
  const same = (Object.keys(en) as (keyof typeof en)[]).filter((k) => en[k] === ja[k]);
  expect(same).toEqual([]);
});
it('uses every key', () => {
  const text = files.filter((f) => !f.startsWith('shared/i18n')).map(read).join('\n');
  expect(Object.keys(en).filter((k) => !text.includes(`'${k}'`))).toEqual([]);
});
it('fills placeholders', () => expect([fill('{n} {n|call|calls}', { n: 1 }), fill('{n} {n|call|calls}', { n: 2 }), fill('{x}')]).toEqual(['1 call', '2 calls', '{x}']));

it('locks no registry host', () => {
  const lock = readFileSync(join(src, '..', 'package-lock.json'), 'utf8');
  expect([...lock.matchAll(/"resolved": "([^"]+)"/g)].map((m) => m[1])).toEqual([]);
});
