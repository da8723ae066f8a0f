import { Buffer } from 'node:buffer';
import { setFlagsFromString } from 'node:v8';

/**
 * The heap may grow by so much beyond what was alive at the last collection, %. V8 lets it grow up to fourfold while much is
 * allocated, as when hundreds of peers come back after a restart, and keeps the room; collecting more often took no more
 * CPU time for a call than can be measured.
 */
const HEAP_GROWTH_PERCENT = 40;
/**
 * Node's small buffers share pieces of 64 KiB, and one that lives as long as a connection, such as its address, keeps the
 * whole piece, bytes.
 */
const BUFFER_POOL_BYTES = 8 * 1024;

/** Makes this process prefer little memory; call it first. */
export function useLittleMemory(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
  Buffer.poolSize = BUFFER_POOL_BYTES;
}
