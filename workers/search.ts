import { runSearchWorker } from '../src/peer/tab/workers/search-handler.ts';

runSearchWorker();
