/** What the bench tells a process of peers. */
export type ToPeers =
  | { readonly start: { readonly invite: string; readonly rooms: readonly number[]; readonly from: string } }
  | { readonly introduce: { readonly room: number } };

/** Its answer, with how long it took. */
export type FromPeers = { readonly ms: number } | { readonly failed: string; readonly ms: number };
