/** Hues are spread over this many steps; closer ones are not told apart at a glance. */
const HUES = 18;

/** The hue of a peer's device, in degrees for `oklch()`: a hash (FNV-1a, 32 bits) of its id, the same everywhere. */
export function peerHue(device: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < device.length; i += 1) hash = Math.imul(hash ^ device.charCodeAt(i), 0x01000193);
  return ((hash >>> 0) % HUES) * (360 / HUES);
}

/** One or two letters for the face: the initials of the first two words. */
export function initials(name: string): string {
  const words = name.split(' · ')[0]?.trim().split(/\s+/) ?? [];
  const letters = words.slice(0, 2).map((word) => Array.from(word)[0] ?? '');
  return letters.join('').toLocaleUpperCase() || '?';
}
