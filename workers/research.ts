import { runResearchWorker } from '../src/peer/tab/workers/research-handler.ts';

runResearchWorker();
