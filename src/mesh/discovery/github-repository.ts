import { GITHUB_REPOSITORY } from '../../contracts/discovery.ts';

/** A repository on GitHub. */
export interface Repository {
  readonly owner: string;
  readonly repo: string;
}

/** Reads `owner/repo`. @returns undefined for anything else */
export function parseRepository(text: string): Repository | undefined {
  const { owner, repo } = GITHUB_REPOSITORY.exec(text.trim())?.groups ?? {};
  return owner === undefined || repo === undefined ? undefined : { owner, repo };
}
