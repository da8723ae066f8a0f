/**
 * STUN and TURN servers as the WebRTC library of Node wants them. It makes one URL of address, name and password, and does
 * not escape the parts (node-datachannel 0.33): the names that coturn's credentials have hold a colon.
 */
export function nodeIceServers(servers: readonly RTCIceServer[]): RTCIceServer[] {
  return servers.map((server) => {
    const { username, credential } = server;
    if (username === undefined || credential === undefined) return server;
    return { ...server, username: encodeURIComponent(username), credential: encodeURIComponent(credential) };
  });
}
