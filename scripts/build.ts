// `npm run build`: always; with --if-stale only what a source has changed of.
import { buildApp } from './build-app.ts';
import { buildRelay } from './build-relay.ts';

const force = !process.argv.includes('--if-stale');
process.exitCode = (await buildApp({ force })) || (await buildRelay({ force }));
