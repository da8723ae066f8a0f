import { openHost } from '../../../src/peer/tab.ts';
import { createFixtureProvider } from '../fixtures/provider.ts';

// the product's tab, with the fixtures in place of its own tools; the harness reads the peer's id from the title
const host = await openHost(createFixtureProvider());
const room = await host.joinRoom(location.href);
document.title = room.self;
