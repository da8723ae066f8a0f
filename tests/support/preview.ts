import { takeInvite } from '../../src/app/state/invite.ts';
import { applyTheme, storedTheme } from '../../src/app/state/theme.ts';
import { fakeHost } from './fake-host.ts';
import { scenarioOf } from './scenarios.ts';

/** Mounts the app over the fake host: `/?scenario=extreme`; the choice lasts for the browser tab. */
const KEY = 'preview.scenario';
const address = new URL(location.href);
const asked = address.searchParams.get('scenario');
if (asked !== null) {
  sessionStorage.setItem(KEY, asked);
  address.searchParams.delete('scenario');
  history.replaceState(null, '', address);
}
const scenario = scenarioOf(sessionStorage.getItem(KEY));
const invite = takeInvite();
applyTheme(storedTheme());
const { mountApp } = await import('../../src/app/mount.ts');
mountApp(() => fakeHost(scenario), scenario === 'invite' ? '#join=abc' : invite);
