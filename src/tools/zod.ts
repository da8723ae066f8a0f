/**
 * Zod as this project uses it: the small build, without generated code, because the Content Security Policy forbids
 * `eval`. Everything that makes or reads a schema imports it from here, so that the setting is made first.
 */
import { config } from 'zod/mini';

config({ jitless: true });

export * from 'zod/mini';
