/** Parts of PubMed's query language that mean nothing to the room's index: field tags, operators, grouping. */
const SYNTAX = /\[[^\]]*\]|\b(?:AND|OR|NOT)\b|["()*]/g;

/** The words of a PubMed query, to search a collection made with it: `"sleep"[mh] AND insulin` gives `sleep insulin`. */
export function searchWords(pubmedQuery: string): string {
  return pubmedQuery.replace(SYNTAX, ' ').replace(/\s+/g, ' ').trim();
}
