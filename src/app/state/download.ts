/** Longest that a browser may take to start reading the blob, ms. */
const REVOKE_MS = 60_000;

/** Hands `blob` to the person as a file. */
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, REVOKE_MS);
}

/** A file name without what file systems refuse: `Sleep & metabolism` → `sleep-metabolism`. */
export function fileName(text: string): string {
  const plain = text
    .toLocaleLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '');
  return plain === '' ? 'tabmesh' : plain.slice(0, 60);
}
