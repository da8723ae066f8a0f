import { runWorkflowWorker } from '../src/peer/tab/workers/workflow-handler.ts';

runWorkflowWorker();
