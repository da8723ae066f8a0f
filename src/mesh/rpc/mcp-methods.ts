/**
 * The requests of MCP 2026-07-28 that a peer may serve and an endpoint passes on. Others are refused where they come in: an
 * unknown method has to be told from a failed one.
 */
export const MCP_METHODS: ReadonlySet<string> = new Set([
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'subscriptions/listen',
]);

/** Notifications that belong to a request, and are passed on to who made it. */
export const REQUEST_NOTIFICATIONS: ReadonlySet<string> = new Set([
  'notifications/progress',
  'notifications/message',
  'notifications/subscriptions/acknowledged',
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
]);
