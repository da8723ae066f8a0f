/**
 * Versions of everything that is stored or sent. A stored thing of a newer version is refused with
 * `format_newer` and left untouched; an older one is migrated in one transaction.
 */
export const FORMAT_VERSIONS = {
  /** device database: keys, rooms, settings */
  device: 1,
  /** per-room storage of a device */
  room: 1,
  /** dataset root and manifest blocks */
  dataset: 1,
  /** persisted search segments */
  segment: 1,
  /** replica logs */
  replica: 2,
  /** persisted workflow runs */
  run: 1,
} as const;

/** Wire protocol ids. A breaking change gets a new major version. */
export const PROTOCOLS = {
  join: '/tabmesh/join/1',
  /** fetching the secret of a newer epoch */
  epoch: '/tabmesh/epoch/1',
  replica: '/tabmesh/replica/2',
  rendezvous: '/tabmesh/rendezvous/1',
  /** presenting a relay's access key */
  access: '/tabmesh/access/1',
  mcp: '/mcp+p2p/1.0.0',
  /** a dataset's blocks, on a stream of their own */
  transfer: '/tabmesh/transfer/1',
} as const;
