import type { CallRequest } from '../../contracts/tools.ts';
import type { PeerId } from '../../lib/ids.ts';

/** Between the random part of a handle and the peer that gave it out; no character of either. */
const AT = '.';

/** The handle of a question that was asked at a peer. @param id nobody can guess */
export const handleAt = (id: string, place: string): string => id + AT + place;

/**
 * A call that brings a handle runs where the handle was given out, unless it names another place: nobody else knows what it
 * is about.
 */
export function atItsPlace(request: CallRequest): CallRequest {
  const place = request.credentials?.approval?.split(AT)[1];
  return place === undefined || place === '' || request.place !== undefined
    ? request
    : { ...request, place: place as PeerId };
}
