import type { RoomId } from '../../lib/ids.ts';

/** What is shown of the room while the peer still loads: its name, no secrets. */
export interface LastRoom {
  readonly id: RoomId;
  readonly name: string;
}

const KEY = 'tabmesh.lastRoom';

/** The room that was open last in this browser, or null. */
export function lastRoom(): LastRoom | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null');
    if (typeof value !== 'object' || value === null) return null;
    const { id, name } = value as Record<string, unknown>;
    return typeof id === 'string' && typeof name === 'string' ? { id: id as RoomId, name } : null;
  } catch {
    return null; // no storage or not ours: the name comes with the room a moment later
  }
}

/** Remembers the open room, or forgets it with null. */
export function rememberRoom(room: LastRoom | null): void {
  try {
    if (room === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify({ id: room.id, name: room.name }));
  } catch (error) {
    console.warn('the last room could not be remembered', error);
  }
}
