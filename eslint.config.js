import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** The folders that run in a worker, in the relay and in a plain test alike: they take ports. */
const DOMAIN = ['workflow', 'search', 'research', 'data', 'monitor', 'tools', 'catalog'];

/** Globals of one platform only, or of the outside world; the ports in src/contracts stand for them. */
const PLATFORM_GLOBALS = [
  'Buffer',
  'RTCPeerConnection',
  'WebSocket',
  'caches',
  'document',
  'fetch',
  'indexedDB',
  'localStorage',
  'location',
  'navigator',
  'process',
  'sessionStorage',
  'window',
];

/** Its rules look at every file unless told: of 1,200 they concern 200. */
const svelteOnly = [...svelte.configs.recommended, ...svelte.configs.prettier].map((config) =>
  config.rules === undefined || config.files !== undefined
    ? config
    : { ...config, files: ['**/*.svelte', '**/*.svelte.ts'] },
);

export default ts.config(
  {
    ignores: ['dist/', '.cache/', '.tabmesh/', 'test-results/', 'playwright-report/', 'bench/out/', 'tests/fixtures/'],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  ts.configs.stylisticTypeChecked,
  svelteOnly,
  {
    languageOptions: {
      globals: { ...globals.browser, ...globals.node },
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js', '.*.js', '.*.cjs', 'scripts/*.mjs'] },
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      eqeqeq: 'error',
      'max-lines': ['error', 600],
      // TypeScript checks names itself
      'no-undef': 'off',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      // a tenth of all the work, and there are no enums: `erasableSyntaxOnly`
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // an interface has no implicit index signature, which services and message types need
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `(error) => log(error)` is plain enough; it is `return log(error)` and `x = log(error)` that mislead
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // an empty string is often the same as none: `name || 'unnamed'`
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        // `const { left, ...rest } = x` is how a property is left out
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // a port's method is async for those adapters that wait; one that need not still rejects instead of throwing
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    rules: {
      // Svelte's own `$state` and `$props` need `let` where TypeScript sees nobody assign
      'prefer-const': 'off',
      'svelte/prefer-const': ['error', { excludedRunes: ['$props', '$state', '$derived'] }],
    },
  },
  {
    files: ['**/*.svelte'],
    rules: {
      // the parser does not know the types of snippet parameters; svelte-check does
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // `void value` in an effect is how it is made to depend on the value
      '@typescript-eslint/no-meaningless-void-operator': 'off',
    },
  },
  {
    files: DOMAIN.map((folder) => `src/${folder}/**/*.ts`),
    rules: {
      'no-restricted-globals': [
        'error',
        ...PLATFORM_GLOBALS.map((name) => ({ name, message: 'Domain folders take a port for this.' })),
      ],
    },
  },
  {
    files: ['tests/**', 'e2e/**'],
    rules: {
      // a test states what it knows; when it is wrong the test fails, which is its purpose
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['e2e/**'],
    rules: {
      // Playwright's fixtures: a parameter that takes none must still be written `{}`
      'no-empty-pattern': 'off',
    },
  },
  { files: ['**/*.{js,cjs,mjs}'], extends: [ts.configs.disableTypeChecked] },
);
