import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/{unit,integration,contract}/**/*.test.ts'],
    environment: 'node',
    // two cores: one file at a time in each of two forks keeps real-socket tests calm
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});
