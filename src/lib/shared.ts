/** Something that is made when it is first needed, and then is the same for everybody. */
export interface Shared<A extends readonly unknown[], T> {
  /** The one instance; it is made of the first call's arguments, those of later calls change nothing. */
  get(...args: A): T;
  /** Lets go of it: the next {@link get} makes a new one. */
  reset(): void;
}

/** Makes a {@link Shared}. */
export function shared<A extends readonly unknown[], T>(make: (...args: A) => T): Shared<A, T> {
  let made: { readonly value: T } | undefined;
  return {
    get(...args) {
      made ??= { value: make(...args) };
      return made.value;
    },
    reset() {
      made = undefined;
    },
  };
}
