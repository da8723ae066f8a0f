/** The situations in which the app is looked at, chosen by `?scenario=` in the preview. */
export const SCENARIOS = {
  /** a browser that has never seen a room */
  first: { rooms: 0, fresh: true },
  /** an invite to a room that this browser does not know */
  invite: { rooms: 0, fresh: true },
  /** one room, nothing in it, nobody else here */
  empty: { rooms: 1, fresh: true },
  /** a small team at work */
  typical: { rooms: 3, fresh: false },
  /** as typical, in a room that the relay owns */
  member: { rooms: 2, fresh: false },
  /** this peer and one other */
  pair: { rooms: 1, fresh: false },
  /** a dozen peers that are all linked */
  dozen: { rooms: 2, fresh: false },
  /** put out of the room by an owner */
  refused: { rooms: 1, fresh: false },
  /** this device and another were copied: the room takes nothing of them */
  cutoff: { rooms: 1, fresh: false },
  /** the relay wants an access key */
  locked: { rooms: 1, fresh: false },
  /** 200 peers, long names, right-to-left titles, eight-digit numbers */
  extreme: { rooms: 40, fresh: false },
  /** every call fails */
  failing: { rooms: 1, fresh: false },
  /** no relay, no other member; what this device holds is there */
  offline: { rooms: 1, fresh: false },
  /** stored by a newer version: opening the room is refused */
  newer: { rooms: 1, fresh: false },
  /** the peer never finishes starting */
  slow: { rooms: 1, fresh: false },
} as const;
export type Scenario = keyof typeof SCENARIOS;

/** The scenario named by `text`, or `typical`. */
export function scenarioOf(text: string | null): Scenario {
  return text !== null && text in SCENARIOS ? (text as Scenario) : 'typical';
}
