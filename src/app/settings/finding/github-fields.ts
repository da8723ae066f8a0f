import type { GithubSettings } from '../../../contracts/app.ts';
import { GITHUB_REPOSITORY } from '../../../contracts/discovery.ts';

/** What is wrong with each field; null where nothing is. */
export type GithubErrors = Readonly<Record<keyof GithubSettings, string | null>>;

/** Visible ASCII: it goes into a header. */
const TOKEN = /^[!-~]+$/;

/** Reads the fields of the GitHub registry. @returns the setting, or what is wrong */
export function readGithub(
  fields: GithubSettings,
): { readonly settings: GithubSettings } | { readonly wrong: GithubErrors } {
  const repository = fields.repository
    .trim()
    .replace(/^(?:https:\/\/)?github\.com\//i, '')
    .replace(/(?:\.git)?\/?$/, '');
  const token = fields.token.trim();
  const wrong: GithubErrors = {
    repository: GITHUB_REPOSITORY.test(repository)
      ? null
      : 'A repository is written owner/name, such as the-lab/peers.',
    token: TOKEN.test(token) ? null : 'A token that may read and write the issues of this repository is needed.',
  };
  return Object.values(wrong).some((error) => error !== null) ? { wrong } : { settings: { repository, token } };
}
