import { takeInvite } from './state/invite.ts';
import { applyTheme, storedTheme } from './state/theme.ts';

// Nothing but this runs before the invite's secret has left the address bar, so this module imports only what it needs.
const invite = takeInvite();
applyTheme(storedTheme());

import('./main.ts').then(
  ({ boot }) => {
    boot(invite);
  },
  (error: unknown) => {
    console.error(error);
    const message = document.createElement('p');
    message.className = 'boot-failed';
    message.setAttribute('role', 'alert');
    message.textContent =
      'The app could not be loaded. You may be offline, or a newer version is there. Reload the page to try again.';
    document.body.replaceChildren(message);
  },
);
