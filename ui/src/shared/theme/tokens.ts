/**
 * The design tokens: the only file with raw colours. Light and dark have the same names, so that neither can lack one;
 * a test checks the contrast of the pairs that carry text.
 */
export const light = {
  bg: '#ffffff',
  'bg-2': '#f6f8f9',
  'bg-3': '#edf1f3',
  'bg-hover': '#f0f4f6',
  'bg-selected': '#e3f0f8',
  'bg-overlay': 'rgba(16, 24, 32, 0.32)',
  line: '#e2e7ea',
  'line-2': '#cbd3d9',
  'line-input': '#84919c',
  text: '#171d22',
  'text-2': '#48545e',
  'text-3': '#5f6c77',
  accent: '#0b5c8a',
  'accent-2': '#084a70',
  'accent-bg': '#e3f0f8',
  'on-accent': '#ffffff',
  ok: '#17704a',
  'ok-bg': '#e2f4ea',
  warn: '#855700',
  'warn-bg': '#fdf2d6',
  err: '#b42323',
  'err-bg': '#fdeaea',
  info: '#3b5bb5',
  'info-bg': '#e9eefb',
  'kind-generation': '#0b5c8a',
  'kind-agent': '#6a45b0',
  'kind-chain': '#566370',
  'kind-tool': '#8a5a00',
  'kind-retriever': '#0f6f6c',
  'kind-embedding': '#3b5bb5',
  'kind-reranker': '#0f6f6c',
  'kind-guardrail': '#9a4a12',
  'kind-evaluator': '#4d6b12',
  'kind-event': '#9a3467',
  'kind-span': '#566370',
  'tok-read': '#9cc9e3',
  'tok-write': '#e0a83a',
  'tok-fresh': '#0b6aa0',
  'tok-output': '#2a9d6f',
  'code-key': '#0b5c8a',
  'code-string': '#17704a',
  'code-number': '#8a5a00',
  'code-atom': '#6a45b0',
  'diff-add': '#e2f4ea',
  'diff-del': '#fdeaea',
  'role-user': '#0f6f6c',
  'role-assistant': '#0b5c8a',
  'role-system': '#566370',
} as const;

export type Token = keyof typeof light;

export const dark: Record<Token, string> = {
  bg: '#0e1316',
  'bg-2': '#131a1f',
  'bg-3': '#1b242a',
  'bg-hover': '#182127',
  'bg-selected': '#12303f',
  'bg-overlay': 'rgba(0, 0, 0, 0.55)',
  line: '#222c33',
  'line-2': '#34414a',
  'line-input': '#6d7b86',
  text: '#e4e9ec',
  'text-2': '#adb8c0',
  'text-3': '#8e9ba5',
  accent: '#62b4e2',
  'accent-2': '#8ccaf0',
  'accent-bg': '#12303f',
  'on-accent': '#06202e',
  ok: '#58c391',
  'ok-bg': '#112b20',
  warn: '#e0ae4a',
  'warn-bg': '#2f2510',
  err: '#f28585',
  'err-bg': '#371a1c',
  info: '#93adf2',
  'info-bg': '#1b2440',
  'kind-generation': '#62b4e2',
  'kind-agent': '#b79cf0',
  'kind-chain': '#a1adb7',
  'kind-tool': '#e0ae4a',
  'kind-retriever': '#54c4be',
  'kind-embedding': '#93adf2',
  'kind-reranker': '#54c4be',
  'kind-guardrail': '#f0a071',
  'kind-evaluator': '#a9c765',
  'kind-event': '#ec8bbd',
  'kind-span': '#a1adb7',
  'tok-read': '#2f5f7c',
  'tok-write': '#c9922b',
  'tok-fresh': '#62b4e2',
  'tok-output': '#4db887',
  'code-key': '#7fc3ea',
  'code-string': '#7ecfa6',
  'code-number': '#e3b969',
  'code-atom': '#c3acf3',
  'diff-add': '#112b20',
  'diff-del': '#371a1c',
  'role-user': '#54c4be',
  'role-assistant': '#62b4e2',
  'role-system': '#a1adb7',
};

/** At most eight series have a colour of their own; the ninth is "other". */
export const seriesLight = ['#0b6aa0', '#d98a1f', '#2a9d6f', '#8459c9', '#c8527f', '#3fb0b8', '#7c8b2d', '#a3553a'];
export const seriesDark = ['#4fa8dc', '#e0a345', '#4db887', '#a98ae6', '#e07ba4', '#5cc8cf', '#aab84f', '#cf8367'];
export const otherLight = '#aab4bc';
export const otherDark = '#5d6a74';

export const size = {
  row: 32,
  waterfall: 28,
  rail: 208,
  font: 13,
  mono: 12.5,
} as const;

/** Ten shades for Mantine, light to dark. */
export const water = [
  '#eaf4fa', '#d5e8f3', '#a9d0e7', '#7bb7db', '#54a2d0', '#3b95ca', '#0b6aa0', '#0b5c8a', '#084a70', '#053652',
] as const;
export const red = [
  '#fdeaea', '#f9d4d4', '#f0a8a8', '#e87a7a', '#e15252', '#d93b3b', '#c92a2a', '#b42323', '#961b1b', '#741313',
] as const;
/** Mantine's own greys in dark, from text to the deepest ground. */
export const night = [
  '#e4e9ec', '#adb8c0', '#8e9ba5', '#6d7b86', '#34414a', '#222c33', '#131a1f', '#0e1316', '#0a0e11', '#070a0c',
] as const;
