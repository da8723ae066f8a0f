import { defineConfig } from 'vitest/config';

/** The long ones, apart from `npm test`: `npm run soak`. */
export default defineConfig({
  test: {
    include: ['tests/soak/**/*.test.ts'],
    environment: 'node',
    maxWorkers: 2,
    testTimeout: 30 * 60_000,
  },
});
