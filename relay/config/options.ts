import { GITHUB_API } from '../../src/mesh/discovery/github-api.ts';

/** The command line: one row an option, from which parsing, the environment variables and the help text are made. */
export interface OptionRow {
  readonly name: string;
  readonly type: 'string' | 'boolean';
  /** what stands for the value in the help text */
  readonly value?: string;
  readonly multiple?: boolean;
  readonly help: string;
}

/** Fixed, so that bookmarks, installed apps and `mcp.json` files stay right from one start to the next. */
export const DEFAULT_PORT = 8787;
export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_DATA = '.tabmesh';

export const OPTION_ROWS = [
  { name: 'port', type: 'string', value: 'N', help: `port to listen on; 0 takes any free one (${DEFAULT_PORT})` },
  { name: 'host', type: 'string', value: 'ADDRESS', help: `address or name to listen on (${DEFAULT_HOST})` },
  { name: 'public-url', type: 'string', value: 'URL', help: 'where others reach this relay, when behind a proxy' },
  { name: 'tls-cert', type: 'string', value: 'FILE', help: 'certificate chain, PEM; needs --tls-key' },
  { name: 'tls-key', type: 'string', value: 'FILE', help: 'private key, PEM; needs --tls-cert' },
  { name: 'trust-proxy', type: 'boolean', help: 'take the client address from the last X-Forwarded-For entry' },
  { name: 'data', type: 'string', value: 'DIR', help: `folder for keys, tokens and rooms (${DEFAULT_DATA})` },
  { name: 'room', type: 'string', value: 'INVITE', help: 'join the room of this invite instead of an own one' },
  { name: 'no-room', type: 'boolean', help: 'be a member of no room, only introduce peers' },
  { name: 'open-relay', type: 'boolean', help: 'let anyone use this relay: no access key is wanted' },
  {
    name: 'webrtc-direct',
    type: 'string',
    value: '[ADDRESS:]PORT',
    help: 'also listen for WebRTC on this UDP port, for browsers where there is no TLS; ADDRESS is what others see',
  },
  {
    name: 'stun',
    type: 'string',
    value: 'URL',
    multiple: true,
    help: 'tell peers of a STUN server; may be given again',
  },
  {
    name: 'turn',
    type: 'string',
    value: 'URL',
    multiple: true,
    help: 'tell peers of a TURN server; may be given again',
  },
  { name: 'turn-secret-file', type: 'string', value: 'FILE', help: 'the secret shared with the TURN servers' },
  {
    name: 'nat-stun',
    type: 'string',
    value: 'URL',
    multiple: true,
    help: 'ask this STUN server how others see this relay; two tell its kind of NAT',
  },
  {
    name: 'ip-service',
    type: 'string',
    value: 'URL',
    multiple: true,
    help: 'ask this service for the public address of this relay; "usual" stands for five known ones',
  },
  {
    name: 'github-registry',
    type: 'string',
    value: 'OWNER/REPO',
    help: 'let members find this relay in the issues of this repository, sealed; needs --github-token-file',
  },
  { name: 'github-token-file', type: 'string', value: 'FILE', help: 'a token that may read and write these issues' },
  { name: 'github-api', type: 'string', value: 'URL', help: `another server with GitHub's API (${GITHUB_API})` },
  {
    name: 'cors-origin',
    type: 'string',
    value: 'ORIGIN',
    multiple: true,
    help: 'let pages of this origin call /mcp and /api; may be given again',
  },
  {
    name: 'oauth-issuer',
    type: 'string',
    value: 'URL',
    help: 'accept tokens of this identity provider; needs --oauth-jwks',
  },
  { name: 'oauth-jwks', type: 'string', value: 'URL', help: 'where the keys of the identity provider are' },
  { name: 'oauth-audience', type: 'string', value: 'TEXT', help: 'the "aud" of its tokens (the URL of /mcp)' },
  {
    name: 'audit-arguments',
    type: 'boolean',
    help: 'write the arguments of calls into the audit log, not only their keyed hash',
  },
  { name: 'demo', type: 'boolean', help: 'answer upstream services from records that come with Tabmesh' },
  {
    name: 'upstream',
    type: 'string',
    value: 'NAME=URL',
    multiple: true,
    help: 'send the requests for a named service there; may be given again',
  },
  {
    name: 'contact',
    type: 'string',
    value: 'EMAIL',
    help: 'address that NCBI and others are told for requests from here; set a real one',
  },
  { name: 'json', type: 'boolean', help: 'print one line of JSON on stdout, and nothing else there' },
  { name: 'help', type: 'boolean', help: 'print this text' },
] as const satisfies readonly OptionRow[];

export type OptionName = (typeof OPTION_ROWS)[number]['name'];

/** `--tls-cert` as an environment variable: `TABMESH_TLS_CERT`. */
export function environmentName(option: string): string {
  return `TABMESH_${option.toUpperCase().replaceAll('-', '_')}`;
}
