/**
 * The arrows between folders. A row says what a folder may import of ours; `lib` and `contracts` lie below everything.
 * Every folder may import itself.
 */
const DOMAIN = ['tools', 'catalog', 'workflow', 'search', 'research', 'data', 'monitor'];
const BELOW = ['src/lib', 'src/contracts'];
const NOT_APP = [...BELOW, ...[...DOMAIN, 'mesh', 'peer'].map((folder) => `src/${folder}`), 'workers', 'relay'];

const ARROWS = {
  'src/lib': [],
  'src/contracts': ['src/lib'],
  'src/tools': BELOW,
  'src/catalog': [...BELOW, 'src/tools'],
  'src/workflow': BELOW,
  'src/search': BELOW,
  'src/research': BELOW,
  'src/data': BELOW,
  'src/monitor': BELOW,
  'src/mesh': BELOW,
  'src/peer': NOT_APP,
  'src/app': [...BELOW, 'src/peer'],
  // a worker composes a domain folder with its storage; the entry only starts that
  workers: ['src/peer/tab/workers'],
  relay: NOT_APP,
};

const under = (folders) => `^(?:${folders.join('|')})/`;

/** Our own code: what an arrow can lead to. */
const OURS = '^(?:src|workers|relay|tests|e2e|bench|scripts)/';
/** Packages that are a network or a store: only the mesh, the peer and the relay hold them. */
const NETWORK_PACKAGES = '^node_modules/(?:@?libp2p|@?helia|@chainsafe/libp2p|@multiformats/multiaddr)(?:/|-)';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(ARROWS).map(([folder, allowed]) => ({
      name: `arrows-of-${folder.replace('src/', '')}`,
      comment: `${folder} may import ${allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')}`,
      severity: 'error',
      from: { path: under([folder]) },
      to: { path: OURS, pathNot: under([folder, ...allowed]) },
    })),
    {
      name: 'tests-are-for-tests',
      comment: 'the product must run without its tests',
      severity: 'error',
      from: { pathNot: '^(?:tests|e2e)/' },
      to: { path: '^(?:tests|e2e)/' },
    },
    {
      name: 'domain-takes-ports',
      comment: 'a domain folder runs in a worker, in the relay and in a plain test: it takes ports, no network',
      severity: 'error',
      from: { path: under(DOMAIN.map((folder) => `src/${folder}`)) },
      to: { path: NETWORK_PACKAGES },
    },
    {
      name: 'domain-no-node',
      comment: 'the same: no Node API, not even in an x.node.ts',
      severity: 'error',
      from: { path: under(DOMAIN.map((folder) => `src/${folder}`)) },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'node-says-so',
      comment: 'what needs Node is called x.node.ts, or is the composition root for Node',
      severity: 'error',
      from: { path: '^(?:src|workers)/', pathNot: '\\.node\\.ts$|^src/peer/node(?:/|\\.ts$)' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'tab-holds-no-node',
      comment: "nothing that the tab's entries reach is made for Node",
      severity: 'error',
      from: { path: '^(?:src/app/first\\.ts|workers/[^/]+\\.ts)$' },
      to: { path: '\\.node\\.ts$|^relay/|^src/peer/node(?:/|\\.ts$)', reachable: true },
    },
    {
      name: 'no-cycles',
      comment: 'a Svelte component may draw itself inside itself',
      severity: 'error',
      from: { path: '(.+)' },
      to: { circular: true, pathNot: '^$1$' },
    },
    {
      name: 'no-orphans',
      comment:
        'what nothing imports and imports nothing is left over (type imports in .svelte files are not seen: knip)',
      severity: 'error',
      from: { orphan: true, path: '^(?:src|workers|relay)/', pathNot: '\\.d\\.ts$|^src/app/|^relay/http/docs/page/' },
      to: {},
    },
    {
      name: 'resolvable',
      comment: 'an import that leads nowhere fails only when it is loaded',
      severity: 'error',
      from: {},
      // `svelte/action` holds types alone
      to: { couldNotResolve: true, pathNot: '^svelte/action$' },
    },
    {
      name: 'declared',
      comment: 'what ships comes from `dependencies`, under its own name',
      severity: 'error',
      from: { path: '^(?:src|workers|relay)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(?:dist|bench/out|tests/fixtures)/' },
    // a type is an arrow too
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['browser', 'import', 'node', 'default', 'svelte'],
    },
  },
};
