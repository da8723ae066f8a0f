import { runDataWorker } from '../src/peer/tab/workers/data-handler.ts';

runDataWorker();
