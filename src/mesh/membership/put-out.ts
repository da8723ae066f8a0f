import { TabmeshError } from '../../lib/errors.ts';

/** The refusal of a device that proves the secret and may not be here. */
export function putOutError(): TabmeshError {
  return new TabmeshError('not_a_member', 'this device has been put out of the room', { details: { putOut: true } });
}

/** Whether an error is {@link putOutError}: trying again soon changes nothing. */
export function isPutOut(error: unknown): boolean {
  return error instanceof TabmeshError && error.details['putOut'] === true;
}
