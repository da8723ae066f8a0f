/** The hashes that a log needs, made at once: an entry must be in the chain before a page that is closed is gone. */
export interface AuditHashes {
  /** SHA-256 of the text in UTF-8, hexadecimal */
  readonly hash: (text: string) => string;
  /** HMAC-SHA-256 of the text in UTF-8 under the install key, hexadecimal */
  readonly hmac: (text: string) => string;
}
