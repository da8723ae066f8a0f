/** A document of the index by its slot number, and how well it matches; higher is better. */
export interface Scored {
  readonly slot: number;
  readonly score: number;
}
