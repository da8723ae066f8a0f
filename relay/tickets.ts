import { FETCH_TICKET_MS, type FetchTicket } from '../src/contracts/relay.ts';
import type { Clock } from '../src/lib/clock.ts';
import type { DeviceId, RoomId } from '../src/lib/ids.ts';
import { hashSecret, newSecret } from './secrets.ts';

/** Each tab of a device may hold one, and renew it early; the oldest goes first. */
const MAX_PER_DEVICE = 32;
/** Whatever happens, memory stays bounded; the oldest go first. */
const MAX_TICKETS = 20_000;

/** The member that a ticket was given to. */
export interface TicketHolder {
  readonly room: RoomId;
  readonly device: DeviceId;
}

/** A ticket that is good now. */
export interface ValidTicket extends TicketHolder {
  /** the same for every use of the ticket; not the ticket itself */
  readonly id: string;
}

/** Short-lived tickets for `/fetch`, which members get over the mesh; in memory only. */
export interface Tickets {
  issue(holder: TicketHolder): FetchTicket;
  /** @returns undefined when unknown or expired */
  verify(ticket: string): ValidTicket | undefined;
}

interface Entry extends TicketHolder {
  readonly expiresAt: number;
}

/**
 * Makes an empty {@link Tickets}.
 * @param url absolute URL of `/fetch`, told with each ticket
 */
export function createTickets(url: string, clock: Clock): Tickets {
  // in the order of issue, which with one lifetime for all is the order of expiry
  const entries = new Map<string, Entry>();
  const byDevice = new Map<DeviceId, string[]>();

  const drop = (id: string) => {
    const entry = entries.get(id);
    if (entry === undefined) return;
    entries.delete(id);
    const left = (byDevice.get(entry.device) ?? []).filter((other) => other !== id);
    if (left.length === 0) byDevice.delete(entry.device);
    else byDevice.set(entry.device, left);
  };

  const purge = (now: number) => {
    for (const [id, entry] of entries) {
      if (entry.expiresAt > now && entries.size <= MAX_TICKETS) return;
      drop(id);
    }
  };

  return {
    issue({ room, device }) {
      const ticket = newSecret('tmf');
      const id = hashSecret(ticket);
      const expiresAt = clock.now() + FETCH_TICKET_MS;
      entries.set(id, { room, device, expiresAt });
      const held = [...(byDevice.get(device) ?? []), id];
      byDevice.set(device, held);
      for (const oldest of held.slice(0, -MAX_PER_DEVICE)) drop(oldest);
      purge(clock.now());
      return { ticket, url, expiresAt };
    },
    verify(ticket) {
      const id = hashSecret(ticket);
      const entry = entries.get(id);
      if (entry === undefined || entry.expiresAt <= clock.now()) return undefined;
      return { id, room: entry.room, device: entry.device };
    },
  };
}
