import { lineLog } from '../../lib/log.ts';

/** What a tab and its workers say, in the browser's console. */
export const consoleLog = lineLog(
  (line) => {
    console.info(line);
  },
  'tabmesh',
  ['info', 'warn', 'error'],
);
