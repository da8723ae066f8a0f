import { test as base, expect, type BrowserContextOptions } from '@playwright/test';
import { makeDevice, type Device } from './device.ts';
import { startRelay, type TestRelay } from './relay.ts';

export { expect };

interface Options {
  /** arguments of the relay, besides port, folder and `--json`; set with `test.use` */
  readonly relayArgs: readonly string[];
}

interface Fixtures {
  /** a relay of this test's own */
  readonly relay: TestRelay;
  /** Starts another one. It goes after the devices, so that its end is not a problem of theirs. */
  readonly anotherRelay: (args: readonly string[]) => Promise<TestRelay>;
  /** Makes a device. What goes wrong in it fails the test at its end, unless it was expected. */
  readonly device: (name: string, options?: BrowserContextOptions) => Promise<Device>;
}

export const test = base.extend<Options & Fixtures>({
  relayArgs: [['--demo'], { option: true }],

  relay: async ({ relayArgs }, use, testInfo) => {
    const relay = await startRelay(relayArgs);
    try {
      await use(relay);
    } finally {
      try {
        await relay.dispose();
      } finally {
        await testInfo.attach('relay.log', { body: relay.log(), contentType: 'text/plain' });
      }
    }
  },

  anotherRelay: async ({ relay: _relay }, use, testInfo) => {
    const relays: TestRelay[] = [];
    try {
      await use(async (args) => {
        const relay = await startRelay(args);
        relays.push(relay);
        return relay;
      });
    } finally {
      for (const [n, relay] of relays.entries()) {
        await relay.dispose();
        await testInfo.attach(`relay-${n + 2}.log`, { body: relay.log(), contentType: 'text/plain' });
      }
    }
  },

  // asks for the relays so that devices go before they do: their end is not a problem of theirs
  device: async ({ browser, anotherRelay: _relays }, use) => {
    const devices: Device[] = [];
    await use(async (name, options = {}) => {
      const device = await makeDevice(browser, name, options);
      devices.push(device);
      return device;
    });
    const problems = devices.flatMap((device) => device.problems().map((problem) => `${device.name}: ${problem}`));
    await Promise.all(devices.map(({ context }) => context.close()));
    expect(problems, 'what went wrong in the browsers').toEqual([]);
  },
});
