import { PROTOCOLS } from '../../contracts/versions.ts';

/** The version of the protocol that peers speak with each other, e.g. "1.0.0". */
export const PROTOCOL_VERSION = PROTOCOLS.mcp.slice(PROTOCOLS.mcp.lastIndexOf('/') + 1);
