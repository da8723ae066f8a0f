import type { TokenHolder } from '../../tokens/tokens.ts';

/**
 * By whom a token is counted where one must not crowd out others: a member and the relay's owner make as many tokens as they
 * like, so all of theirs are one; a person at an identity provider has one id for all tokens.
 */
export function ownerKey({ id, device, owned }: Pick<TokenHolder, 'id' | 'device' | 'owned'>): string {
  return device ?? (owned ? 'owner' : id);
}
