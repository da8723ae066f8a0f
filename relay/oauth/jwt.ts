import { createHash } from 'node:crypto';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import type { Clock } from '../../src/lib/clock.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import type { TokenReader } from '../http/auth.ts';
import type { TokenHolder } from '../tokens/tokens.ts';
import type { OAuthConfig } from './config.ts';
import { classesOf } from './scopes.ts';

/** Asymmetric ones only: with a shared key, who can check tokens could make them (RFC 8725 §3.1, §3.2). */
const ALGORITHMS = [
  'EdDSA',
  'Ed25519',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
];
/** Clocks of two machines that follow the same time. */
const SKEW_S = 60;
/** Keys are asked for anew after this, ms. */
const JWKS_MAX_AGE_MS = 10 * 60 * 1000;
/** A token with an unknown key makes us ask again, but not more often than this, ms: else anybody could make us ask. */
const JWKS_COOLDOWN_MS = 30 * 1000;
const JWKS_TIMEOUT_MS = 5_000;
/** A token is a few hundred bytes; longer ones are not worth a signature's time. */
const MAX_TOKEN_LENGTH = 8_192;
/** Three base64url parts: no token of ours has a dot. */
const FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** 132 bits of a hash name a person well enough. */
const ID_CHARS = 22;
const MAX_NAME_LENGTH = 80;

/**
 * Reads access tokens of an identity provider (JWT, RFC 9068; checked as RFC 8725 advises): issuer, audience, signature by
 * one of its keys, an allowed algorithm, times. A person is one principal, whatever number of tokens she has.
 * @param resource URL of the MCP endpoint
 */
export function createJwtReader({ issuer, audience, jwks }: OAuthConfig, resource: string, clock: Clock): TokenReader {
  const keys = createRemoteJWKSet(jwks, {
    cacheMaxAge: JWKS_MAX_AGE_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    timeoutDuration: JWKS_TIMEOUT_MS,
  });
  return {
    reads: (token) => FORM.test(token),
    async read(token) {
      if (token.length > MAX_TOKEN_LENGTH) throw invalid('is too long');
      let payload: JWTPayload;
      try {
        ({ payload } = await jwtVerify(token, keys, {
          issuer,
          audience: audience ?? resource,
          algorithms: ALGORITHMS,
          clockTolerance: SKEW_S,
          currentDate: new Date(clock.now()),
          requiredClaims: ['exp', 'sub'],
        }));
      } catch (cause) {
        throw refusalOf(cause);
      }
      return holderOf(payload, issuer);
    },
  };
}

function holderOf(payload: JWTPayload, issuer: string): TokenHolder {
  const { sub = '', exp = 0 } = payload;
  const classes = classesOf(payload);
  if (classes.length === 0) {
    throw new TabmeshError('forbidden', 'the token grants nothing here', {
      hint: 'Ask your identity provider for a scope such as tabmesh:read.',
      details: { requiredScope: 'tabmesh:read' },
    });
  }
  const name = [payload['name'], payload['preferred_username'], payload['client_id'], sub].find(isName) ?? 'a person';
  const id = createHash('sha256')
    .update(JSON.stringify([issuer, sub]))
    .digest('base64url')
    .slice(0, ID_CHARS);
  return {
    id: `jwt-${id}`,
    name: name.slice(0, MAX_NAME_LENGTH),
    room: null,
    device: null,
    owned: false,
    scope: { classes, tools: null, expiresAt: (exp + SKEW_S) * 1000 },
    perMinute: null,
  };
}

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '' && !/\p{C}/u.test(value);

function refusalOf(cause: unknown): TabmeshError {
  if (cause instanceof errors.JWTExpired) return invalid('has expired', cause);
  if (cause instanceof errors.JWTClaimValidationFailed) return invalid(`is not for this relay (${cause.claim})`, cause);
  if (cause instanceof errors.JOSEAlgNotAllowed)
    return invalid('is signed with an algorithm that is not allowed', cause);
  if (cause instanceof errors.JWKSTimeout || !(cause instanceof errors.JOSEError) || isUnreadable(cause)) {
    return new TabmeshError('upstream_unreachable', 'the identity provider’s keys cannot be had', {
      hint: 'Try again; if it goes on, look at --oauth-jwks.',
      retryable: true,
      cause,
    });
  }
  return invalid('is not valid', cause);
}

/** What jose throws for an answer that is no key set. */
const isUnreadable = (error: errors.JOSEError) =>
  error.code === 'ERR_JOSE_GENERIC' || error.code === 'ERR_JWKS_INVALID';

function invalid(what: string, cause?: unknown): TabmeshError {
  return new TabmeshError('unauthorized', `the token ${what}`, {
    hint: 'Get a new one from your identity provider.',
    details: { invalidToken: true },
    cause,
  });
}
