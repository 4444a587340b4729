import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const features = ['home', 'traces', 'trace', 'diff', 'sessions', 'keys', 'models', 'connect', 'login', 'settings'];

/** app → features → shared, and no feature imports another: what two need belongs to shared. */
const inward = (patterns, message) => ({ 'no-restricted-imports': ['error', { patterns: [{ group: patterns, message }] }] });

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/shared/api/schema.d.ts', 'e2e'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    plugins: { 'react-hooks': hooks },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'warn',
      '@typescript-eslint/no-unused-expressions': ['error', { allowShortCircuit: true }],
      'max-lines': ['error', { max: 300, skipComments: true }],
      'no-console': 'error',
    },
  },
  { files: ['src/shared/**'], rules: inward(['@/app/*', '@/features/*', '**/features/*', '**/app/*'], 'shared knows neither features nor app') },
  ...features.map((f) => ({
    files: [`src/features/${f}/**`],
    rules: inward(['@/app/*', ...features.filter((x) => x !== f).map((x) => `@/features/${x}/*`), '../../*'], 'a feature imports only itself and shared'),
  })),
  { files: ['src/shared/i18n/*.ts', 'dev/**', 'src/shared/api/types.ts'], rules: { 'max-lines': 'off' } },
);
