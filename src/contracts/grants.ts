import type { CidString, DeviceId } from '../lib/ids.ts';

/** A did:key of an Ed25519 key, or for a token `urn:tabmesh:token:DEVICE:ID` with the device of its relay. */
export type Subject = string;

/** One thing that a grant allows. Patterns are exact, `*`, or `prefix/*`; nothing left out is ever a wildcard. */
export interface Capability {
  /** `tabmesh/ROOM/DEVICE`, where the call runs */
  readonly resource: string;
  /** `tools/NAME`, or `ucan/DELEGATE` for the right to pass it on */
  readonly ability: string;
  /**
   * `calls`: how many, all together; `bytes`: of a call's arguments; `nbf` and `exp` in seconds. Any other bound is for other
   * places: here nothing is known about it, so it denies
   */
  readonly budget?: Readonly<Record<string, number | string>>;
  /** arguments that a call must have with exactly these values */
  readonly args?: Readonly<Record<string, unknown>>;
}

/** What a delegation token says, in one form whatever its wire form was (`spec` of MCP++, Profile C). Times in seconds. */
export interface GrantClaims {
  readonly issuer: Subject;
  readonly audience: Subject;
  readonly capabilities: readonly Capability[];
  /** seconds since the epoch; null: never */
  readonly expiry: number | null;
  readonly notBefore: number | null;
  readonly nonce: string | null;
  /** CIDs of the tokens that this one is derived from */
  readonly proofs: readonly string[];
  readonly canDelegate: boolean | null;
  readonly maxDepth: number | null;
  readonly policyCid: string | null;
  readonly executor: string | null;
}

/** Why a chain of grants allows a call, or does not; the codes and their order are those of `AttenuationPolicy@1`. */
export type GrantVerdict =
  | 'ok'
  | 'empty_chain'
  | 'depth_exceeded'
  | 'invalid_token'
  | 'invalid_signature'
  | 'revoked'
  | 'revocation_unavailable'
  | 'capability_not_granted'
  | 'expired'
  | 'not_yet_valid'
  | 'issuer_audience_continuity_failed'
  | 'time_attenuation_failed'
  | 'redelegation_denied'
  | 'capability_attenuation_failed'
  | 'resource_attenuation_failed'
  | 'method_attenuation_failed'
  | 'budget_attenuation_failed'
  | 'audience_mismatch'
  | 'policy_cid_required'
  | 'policy_cid_mismatch'
  | 'executor_binding_failed'
  | 'replayed';

export const REVOCATION_SCHEMA = 'mcp++/delegation/revocation-record@1';

/** A signed word that a delegation token is void. Times in seconds since the epoch. */
export interface RevocationRecord {
  readonly schema: typeof REVOCATION_SCHEMA;
  /** who issued the token, or one that it is derived from */
  readonly issuer: Subject;
  readonly revoked_delegation_cid: string;
  readonly effective_at: number;
  readonly reason?: string;
  readonly replacement_cid?: string;
  readonly discovery?: { readonly method: string; readonly registry_id: string; readonly published_at: number };
  readonly alg: 'EdDSA';
  readonly kid: string;
  readonly nonce?: string;
  readonly not_before?: number;
  readonly expires_at?: number;
  /** raw Ed25519 in base64url */
  readonly signature: string;
}

/** What somebody asks to be granted. */
export interface GrantRequest {
  /** a device of the room, or a did or urn */
  readonly audience: Subject | DeviceId;
  /** names of tools */
  readonly tools: readonly string[];
  /** ms from now */
  readonly lifetimeMs: number;
  /** how many calls in all; null: any number */
  readonly calls: number | null;
  /** arguments that calls must have with exactly these values */
  readonly args: Readonly<Record<string, unknown>> | null;
  /** how many times it may be passed on; 0: not at all */
  readonly maxDepth: number;
  /** a token that this device holds, with those it is derived from, to pass part of it on; null: a grant of one's own */
  readonly parents: readonly unknown[] | null;
}

/** A grant as it is handed to who it is for. */
export interface IssuedGrant {
  readonly cid: CidString;
  /** compact form, root first: what a call carries in `_meta` */
  readonly tokens: readonly string[];
  readonly claims: GrantClaims;
}

/** A grant that this device has issued. */
export interface GrantListing {
  readonly cid: CidString;
  readonly claims: GrantClaims;
  readonly state: 'valid' | 'expired' | 'revoked';
  /** calls that it has allowed here */
  readonly used: number;
}

/** What a check of a chain has found. */
export interface GrantCheck {
  readonly verdict: GrantVerdict;
  /** of the chain's tokens, root first, as far as they could be read */
  readonly chain: readonly { readonly cid: string; readonly claims: GrantClaims }[];
  /** index of the token that fails; null when all hold, or the fault is the chain's */
  readonly hop: number | null;
}

/** Delegation tokens of this device in this room. */
export interface GrantsPort {
  /** @throws `invalid_input`; `forbidden` with `details.verdict` when the parents do not allow it */
  issue(request: GrantRequest): Promise<IssuedGrant>;
  /** newest first, those that have expired for long left out */
  list(): Promise<readonly GrantListing[]>;
  /**
   * Signs and publishes that a token is void, with all that is derived from it.
   * @param chain the token itself, for one that this device did not issue but may revoke
   * @throws `not_found`, `forbidden`
   */
  revoke(
    cid: string,
    options: { readonly reason: string | null; readonly chain: readonly unknown[] | null },
  ): Promise<RevocationRecord>;
  /**
   * The revocations that the room knows, newest first.
   * @param method those published in that way only, e.g. `ledger`; all when null
   */
  revocations(method: string | null): Promise<readonly RevocationRecord[]>;
  /** Checks signatures, revocations and attenuation of a chain; does not use it up. Never throws for what the tokens hold */
  verify(
    chain: readonly unknown[],
    call: { readonly tool: string; readonly args: unknown; readonly audience: Subject },
  ): Promise<GrantCheck>;
}

/** A grant that was given to this device. */
export interface HeldGrant {
  readonly cid: CidString;
  /** of the last token of the chain, which is for this device */
  readonly claims: GrantClaims;
}

/** The grants that this device was given; calls to the place that a grant is about show it by themselves. */
export interface HeldGrantsPort {
  /** newest first; those whose time is over are forgotten */
  list(): Promise<readonly HeldGrant[]>;
  /**
   * Keeps a grant. Only its form and whom it is for are looked at: what it is worth, the place decides.
   * @param text compact tokens with white space between them, root first
   * @throws `invalid_input` for what is no grant, has ended or is for somebody else; `rate_limited`, `storage_failed`
   */
  add(text: string): Promise<HeldGrant>;
  remove(cid: CidString): Promise<void>;
}
