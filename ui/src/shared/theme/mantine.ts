import { createTheme, defaultVariantColorsResolver, type CSSVariablesResolver, type MantineColorsTuple, type VariantColorsResolver } from '@mantine/core';
import { dark, light, night, red, water } from './tokens';

/** Fills and tints come from the tokens, whose contrast is tested; Mantine would choose white on any blue. */
const variants: VariantColorsResolver = (input) => {
  const own = defaultVariantColorsResolver(input);
  const red = input.color === 'red';
  if (!red && input.color && input.color !== 'water') return own;
  const [fg, bg] = red ? ['var(--w-err)', 'var(--w-err-bg)'] : ['var(--w-accent)', 'var(--w-accent-bg)'];
  if (input.variant === 'filled') return { ...own, background: fg, hover: red ? fg : 'var(--w-accent-2)', color: red ? 'var(--w-bg)' : 'var(--w-on-accent)' };
  if (input.variant === 'light') return { ...own, background: bg, hover: bg, color: fg };
  return own;
};

export const theme = createTheme({
  variantColorResolver: variants,
  colors: { dark: night as unknown as MantineColorsTuple, water: water as unknown as MantineColorsTuple, red: red as unknown as MantineColorsTuple },
  primaryColor: 'water',
  primaryShade: { light: 7, dark: 3 },
  autoContrast: true,
  luminanceThreshold: 0.36,
  defaultRadius: 4,
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: 'var(--w-font)',
  fontFamilyMonospace: 'var(--w-font-mono)',
  fontSizes: { xs: '11.5px', sm: '13px', md: '13px', lg: '15px', xl: '18px' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.5', lg: '1.5', xl: '1.4' },
  headings: { fontWeight: '600', sizes: { h1: { fontSize: '16px' }, h2: { fontSize: '14px' }, h3: { fontSize: '13px' } } },
  components: {
    Button: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { size: 28, variant: 'subtle', color: 'gray' } },
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'sm' } },
    NumberInput: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs', checkIconPosition: 'right' } },
    TagsInput: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    Checkbox: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'xs' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: false, transitionProps: { duration: 0 } } },
    Modal: { defaultProps: { transitionProps: { duration: 100 }, radius: 6, centered: true }, styles: { title: { fontWeight: 600 } } },
    Menu: { defaultProps: { transitionProps: { duration: 60 }, shadow: 'sm', withInitialFocusPlaceholder: false } },
    Popover: { defaultProps: { transitionProps: { duration: 60 }, shadow: 'sm' } },
    Drawer: { defaultProps: { transitionProps: { duration: 100 } } },
  },
});

function prefixed(tokens: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tokens).map(([k, v]) => [`--w-${k}`, v]));
}

function mantineOf(t: typeof dark): Record<string, string> {
  return {
    '--mantine-color-body': t.bg,
    '--mantine-color-text': t.text,
    '--mantine-color-dimmed': t['text-2'],
    '--mantine-color-placeholder': t['text-3'],
    '--mantine-color-anchor': t.accent,
    '--mantine-color-error': t.err,
    '--mantine-color-default': t.bg,
    '--mantine-color-default-hover': t['bg-hover'],
    '--mantine-color-default-color': t.text,
    '--mantine-color-default-border': t['line-2'],
    '--mantine-primary-color-filled': t.accent,
    '--mantine-primary-color-filled-hover': t['accent-2'],
    '--mantine-primary-color-contrast': t['on-accent'],
    '--mantine-primary-color-light': t['accent-bg'],
    '--mantine-primary-color-light-color': t.accent,
    '--mantine-color-gray-light-color': t['text-2'],
    '--mantine-color-gray-light-hover': t['bg-3'],
  };
}

export const resolver: CSSVariablesResolver = () => ({
  variables: {
    '--w-font': "'Inter Variable', system-ui, 'Hiragino Sans', 'Yu Gothic UI', 'Noto Sans CJK JP', 'Noto Sans JP', sans-serif",
    '--w-font-mono': "'JetBrains Mono Variable', ui-monospace, 'Noto Sans Mono CJK JP', 'Noto Sans CJK JP', monospace",
  },
  light: { ...prefixed(light), ...mantineOf(light) },
  dark: { ...prefixed(dark), ...mantineOf(dark) },
});
