/** An identity provider whose tokens this relay accepts (OAuth 2.1 resource server). */
export interface OAuthConfig {
  /** exactly as its tokens name it in `iss` */
  readonly issuer: string;
  /** what its tokens must name in `aud`; null: the URL of the MCP endpoint (RFC 8707) */
  readonly audience: string | null;
  /** where its keys are */
  readonly jwks: URL;
}
