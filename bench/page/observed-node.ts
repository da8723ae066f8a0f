import type { RoomNode } from '../../src/mesh/node/room-node.ts';
import { startTabNode as start } from '../../src/mesh/node/room-node.browser.ts';

let latest: RoomNode | undefined;

/**
 * The product's function, with its result kept for the bench. The page's Vite config puts it in the product's place.
 * @public
 */
export async function startTabNode(options: Parameters<typeof start>[0]): Promise<RoomNode> {
  latest = await start(options);
  return latest;
}

/** The node of the open room. */
export function roomNode(): RoomNode {
  if (latest === undefined) throw new Error('no room is open');
  return latest;
}
