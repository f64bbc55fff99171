import tseslint from 'typescript-eslint';

const noEnvironment = {
  object: 'process',
  property: 'env',
  message: 'Only src/config reads the environment; everything else is given its settings.',
};

/** One way to wait, in src/platform/async (ADR 43). */
const byHand = [
  {
    selector: "CallExpression[callee.property.name='catch'] > ArrowFunctionExpression[params.length=0]",
    message: 'It ignores bugs, too: check the error, or say in ignoreErrors() why it may be ignored.',
  },
  {
    selector: "NewExpression[callee.name='Promise'] CallExpression[callee.name='setTimeout']",
    message: 'Use delay, withTimeout, resolvesWithin or waitForCall of src/platform/async.',
  },
];
const noTimers = { name: 'node:timers/promises', message: 'Use src/platform/async/delay.ts.' };

/** What oxlint cannot see without types, and the limits of STYLE. */
export default tseslint.config(
  {
    ignores: [
      ...['dist/', 'packages/client/dist*/', 'coverage/', 'node_modules/', '.voidrunner/'],
      // The planted violations are for dependency-cruiser.
      'test/architecture/fixture/',
      'packages/client/src/generated/',
      // What they import is generated when they are compiled.
      'test/clients/*/',
    ],
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'max-lines': ['error', 300],
      'max-lines-per-function': ['error', 80],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-imports': ['error', noTimers],
      'no-restricted-properties': ['error', noEnvironment],
      'no-restricted-syntax': ['error', ...byHand],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Asks for the removal of assertions that name what an `any` is.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      // Numbers that come off a wire are compared with the names a library gives them.
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/only-throw-error': 'error',
      // A port's method returns a promise; an implementation that has nothing to wait for may still be `async`.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['src/config/**/*.ts', 'src/composition/telemetry.ts', 'src/cli/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['src/platform/async/*.ts', 'packages/client/src/delay.ts'],
    rules: { 'no-restricted-imports': 'off', 'no-restricted-syntax': 'off' },
  },
  {
    files: ['src/cli/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'max-lines': ['error', 400],
      // `describe` is one function to the linter and a chapter to the reader.
      'max-lines-per-function': 'off',
      // What comes back over HTTP is `any` until it is asserted, and a matcher is `any` by its type.
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // Fakes take a method off an object and put it back.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
