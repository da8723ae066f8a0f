import { describe, expect, it } from 'vitest';
import type { DeviceAnswer } from '../../../src/contracts/search.ts';
import type { CidString, DeviceId, PeerId } from '../../../src/lib/ids.ts';
import { answerSentence, incompleteSentence, missingLines } from '../../../src/app/search/room-answer.ts';

const device = 'd' as DeviceId;
const peer = 'p' as PeerId;
const answered: DeviceAnswer = {
  status: 'answered',
  device,
  peer,
  name: 'Amber Heron',
  hits: 3,
  searched: 10,
  tookMs: 4,
  direct: true,
};
const failed: DeviceAnswer = {
  status: 'failed',
  device,
  peer,
  name: 'Blue Finch',
  error: { code: 'timeout', message: 'the time limit passed', hint: null, retryable: true, details: {} },
};
const away: DeviceAnswer = { status: 'away', device, name: 'Grey Wren', datasets: [] };
const lost = { dataset: 'bafy' as CidString, name: 'sleep', heldBy: ['Grey Wren', 'Blue Finch'] };

describe('how the room answered', () => {
  it('is one sentence', () => {
    expect(
      answerSentence({ hits: [], total: 1204, devices: [answered, failed, away], missing: [], tookMs: 83.6 }),
    ).toBe('1,204 matches from 1 of 3 devices in 84 ms');
    expect(answerSentence({ hits: [], total: 1, devices: [answered], missing: [], tookMs: 2 })).toBe(
      '1 match from 1 device in 2 ms',
    );
  });

  it('says what is missing, and only then', () => {
    expect(incompleteSentence({ devices: [answered, away], missing: [] })).toBeNull();
    expect(incompleteSentence({ devices: [answered, failed], missing: [] })).toContain('1 device failed to answer');
    expect(incompleteSentence({ devices: [answered, away], missing: [lost] })).toContain('1 dataset of this room');
    expect(missingLines({ missing: [lost, { ...lost, heldBy: [] }] })).toEqual([
      'sleep: held by Grey Wren and Blue Finch',
      'sleep: no device of the room holds it',
    ]);
  });
});
