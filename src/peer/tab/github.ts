import type { GithubSettings } from '../../contracts/app.ts';
import type { PeerRegistry } from '../../contracts/discovery.ts';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { GithubIssues } from '../../mesh/discovery/github-api.ts';
import { GithubRegistry } from '../../mesh/discovery/github-registry.ts';
import { parseRepository } from '../../mesh/discovery/github-repository.ts';
import { currentSeal } from '../../mesh/discovery/seal.ts';
import type { RoomSecret } from '../../mesh/identity/room-secret.ts';

/**
 * The registry in the issues of the repository that a person has chosen.
 * @param secret of the room, as of now: what is written there is sealed under it
 * @throws `invalid_input` when the setting names no repository
 */
export function openGithub(
  { repository, token }: GithubSettings,
  secret: () => RoomSecret,
  clock: Clock,
): PeerRegistry {
  const parsed = parseRepository(repository);
  if (parsed === undefined) throw new TabmeshError('invalid_input', `“${repository}” is no repository on GitHub`);
  const issues = new GithubIssues({ ...parsed, token, fetch: (url, init) => fetch(url, init), clock });
  return new GithubRegistry({ issues, seal: currentSeal(secret), clock });
}
