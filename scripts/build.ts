// `npm run build`: always; with --if-stale only when a source has changed.
import { buildApp } from './build-app.ts';

process.exitCode = await buildApp({ force: !process.argv.includes('--if-stale') });
