let prefix = $state('');

/** What stands before the page's title, such as `(2) `; reactive. */
export function titlePrefix(): string {
  return prefix;
}

/** Puts something before the page's title; an empty text takes it away. */
export function setTitlePrefix(text: string): void {
  prefix = text;
}
