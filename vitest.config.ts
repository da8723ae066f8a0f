import { globSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** What a test file does that others in the same process would see. */
const SEEN_BY_OTHERS = /\bvi\.(?:mock|hoisted|stub\w+|spyOn|useFakeTimers)\b|fake-indexeddb\/auto|process\.chdir/;

/** What takes long runs when it is asked for, as `npm run test:long` does. */
const LONG = 'tests/integration/long';
const isAskedFor = process.argv.some((word) => word.includes(LONG));

const files = globSync('tests/{unit,contract,integration}/**/*.test.ts').filter(
  (file) => isAskedFor || !file.startsWith(LONG),
);
const apart = files.filter((file) => SEEN_BY_OTHERS.test(readFileSync(file, 'utf8')));

export default defineConfig({
  test: {
    environment: 'node',
    // two cores: one file at a time in each of two forks keeps real-socket tests calm
    maxWorkers: 2,
    testTimeout: 20_000,
    projects: [
      // loading the same modules anew for each file would be half of all the work
      { extends: true, test: { name: 'shared', include: files, exclude: apart, isolate: false } },
      { extends: true, test: { name: 'apart', include: apart } },
    ],
  },
});
