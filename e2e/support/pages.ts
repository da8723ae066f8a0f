import { expect, type Locator, type Page } from '@playwright/test';

/** How a peer's link is called in the app. */
export type LinkWord = 'you' | 'direct' | 'relayed' | 'connecting';

/** A peer as its row in the Mesh view shows it. */
export interface PeerRow {
  readonly name: string;
  readonly link: LinkWord;
  readonly served: number;
  readonly records: number;
  readonly where: 'relay' | 'visible tab' | 'hidden tab';
}

type View = 'Research' | 'Search' | 'Data' | 'Tools' | 'Mesh' | 'Settings';

/** What is around every view of an open room. */
export class Shell {
  readonly page: Page;
  /** says how this peer stands: `Connection: Direct` */
  readonly connection: Locator;

  constructor(page: Page) {
    this.page = page;
    this.connection = page.getByRole('link', { name: /^Connection: / });
  }

  /** The room is open here: its name is the switcher's. */
  async expectRoom(name: string | RegExp): Promise<void> {
    await expect(this.page.getByRole('button', { name: /Switch room$/ })).toHaveAccessibleName(name);
  }

  /** Waits until the service worker has stored all of the app and serves this page: from then on no part can be missing. */
  async readyForOffline(): Promise<void> {
    const state = () => this.page.evaluate(() => navigator.serviceWorker.controller?.state ?? 'none');
    await expect.poll(state, { timeout: 30_000, message: 'the service worker of this page' }).toBe('activated');
  }

  /** Goes to a view by the rail. */
  async go(view: View): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: view, exact: true }).click();
    await expect(this.page.getByRole('heading', { level: 1, name: view, exact: true })).toBeVisible();
  }

  async research(): Promise<ResearchView> {
    await this.go('Research');
    return new ResearchView(this.page);
  }

  async search(): Promise<SearchView> {
    await this.go('Search');
    return new SearchView(this.page);
  }

  async data(): Promise<DataView> {
    await this.go('Data');
    return new DataView(this.page);
  }

  async mesh(): Promise<MeshView> {
    await this.go('Mesh');
    return new MeshView(this.page);
  }

  /** Opens the form of a tool from the list. */
  async tool(title: string): Promise<ToolView> {
    await this.go('Tools');
    await this.page.getByRole('main').getByRole('link', { name: title }).click();
    await expect(this.page.getByRole('heading', { level: 1, name: title })).toBeVisible();
    return new ToolView(this.page);
  }
}

/** The one card that an invite to an unknown room shows. */
export class InviteCard {
  readonly card: Locator;
  readonly join: Locator;
  readonly notNow: Locator;

  constructor(page: Page) {
    this.card = page.getByRole('region', { name: 'You are invited to this room' });
    this.join = this.card.getByRole('button', { name: 'Join' });
    this.notNow = this.card.getByRole('button', { name: 'Not now' });
  }
}

/** Opens an invite in a profile that does not know the room, and joins. */
export async function joinByInvite(page: Page, invite: string): Promise<Shell> {
  await page.goto(invite);
  await new InviteCard(page).join.click();
  const shell = new Shell(page);
  await expect(shell.connection).toHaveAccessibleName(/Direct|Relayed|Alone/);
  return shell;
}

export class ResearchView {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Starts a collection. @returns its run */
  async start(query: string, atMost: number): Promise<Run> {
    await this.#page.getByRole('textbox', { name: 'Query' }).fill(query);
    await this.#page.getByRole('textbox', { name: 'At most' }).fill(String(atMost));
    await this.#page.getByRole('button', { name: 'Collect', exact: true }).click();
    return this.run(query);
  }

  run(query: string): Run {
    return new Run(this.#page.getByRole('article', { name: query, exact: true }));
  }

  /** Starts a collection and waits for its dataset. @returns the dataset's CID */
  async collect(query: string, atMost = 100): Promise<string> {
    const run = await this.start(query, atMost);
    await expect(run.article).toContainText('Done');
    return await run.dataset();
  }
}

/** A run in the list of the Research view. */
export class Run {
  readonly article: Locator;
  readonly steps: Locator;

  constructor(article: Locator) {
    this.article = article;
    this.steps = article.getByRole('list', { name: 'Steps' }).getByRole('listitem');
  }

  /** The CID of the dataset that it made. */
  async dataset(): Promise<string> {
    return await copyable(this.article, 'CID');
  }
}

export class SearchView {
  readonly page: Page;
  /** who answered, and what is missing */
  readonly answer: Locator;
  /** the record that is open */
  readonly record: Locator;

  constructor(page: Page) {
    this.page = page;
    this.answer = page.getByRole('region', { name: 'Who answered' });
    this.record = page
      .getByRole('region', { name: 'Record', exact: true })
      .or(page.getByRole('dialog', { name: 'Record', exact: true }));
  }

  /** Searches and waits until the room has answered this query. */
  async ask(words: string): Promise<void> {
    const search = this.page.getByRole('search');
    await search.getByRole('searchbox').fill(words);
    await search.getByRole('button', { name: 'Search' }).click();
    await expect(this.page).toHaveURL((url) => url.searchParams.get('q') === words);
    await expect(this.answer).toBeVisible();
  }

  /** Asks again and again until the answer says this: a shard is listed a moment after its device is linked. */
  async askUntil(words: string, says: RegExp): Promise<void> {
    await this.ask(words);
    await expect(async () => {
      await this.page.getByRole('search').getByRole('button', { name: 'Search' }).click();
      await expect(this.answer).toContainText(says, { timeout: 1_000 });
    }).toPass({ timeout: 20_000 });
  }

  hit(title: string | RegExp): Locator {
    return this.page.getByRole('article').filter({ has: this.page.getByRole('heading', { level: 2, name: title }) });
  }

  hits(): Locator {
    return this.page.getByRole('article');
  }

  /** Opens a hit's record. */
  async open(title: string | RegExp): Promise<void> {
    await this.hit(title).getByRole('heading', { level: 2 }).getByRole('button').click();
    await expect(this.record.getByRole('heading', { level: 2, name: title })).toBeVisible();
  }

  /** The CID of the record that is open. */
  async recordCid(): Promise<string> {
    return await copyable(this.record, 'CID');
  }
}

export class DataView {
  readonly #page: Page;
  readonly rows: Locator;

  constructor(page: Page) {
    this.#page = page;
    this.rows = page.getByRole('main').getByRole('article');
  }

  row(name: string): Locator {
    return this.rows.filter({ has: this.#page.getByRole('link', { name, exact: true }) });
  }

  /** Chooses from a dataset's menu. */
  async choose(name: string, action: 'Export as CAR' | 'Keep here' | 'Delete from this device'): Promise<void> {
    await this.row(name)
      .getByRole('button', { name: `Actions for ${name}` })
      .click();
    await this.row(name).getByRole('button', { name: action }).click();
  }

  /** Deletes this device's copy, past the question. */
  async delete(name: string): Promise<void> {
    await this.choose(name, 'Delete from this device');
    await this.#page.getByRole('dialog').getByRole('button', { name: 'Delete dataset' }).click();
  }
}

export class ToolView {
  readonly #page: Page;
  readonly answer: Locator;
  readonly why: Locator;

  constructor(page: Page) {
    this.#page = page;
    this.answer = page.getByRole('region', { name: 'Answer', exact: true });
    this.why = page.getByRole('region', { name: 'Why it ran there' });
  }

  argument(label: string): Locator {
    return this.#page.getByRole('textbox', { name: label });
  }

  /** Where it can run, as the form lists it, but for any place. */
  async places(): Promise<readonly string[]> {
    const options = this.#page.getByRole('combobox', { name: 'Where' }).getByRole('option');
    return (await options.allTextContents()).slice(1);
  }

  /** Where it shall run: a peer's name as the form lists it. */
  async at(place: string): Promise<void> {
    await this.#page.getByRole('combobox', { name: 'Where' }).selectOption({ label: place });
  }

  async run(): Promise<void> {
    await this.#page.getByRole('button', { name: 'Run', exact: true }).click();
  }
}

export class MeshView {
  readonly #page: Page;
  readonly #list: Locator;
  readonly rows: Locator;

  constructor(page: Page) {
    this.#page = page;
    this.#list = page.getByRole('region', { name: 'Peers', exact: true });
    this.rows = this.#list.getByRole('button');
  }

  /** The rows as they are now. */
  async peers(): Promise<readonly PeerRow[]> {
    return readPeerRows(await this.#list.ariaSnapshot());
  }

  /** Waits until the others here are these, each by kind and link, such as `['relay direct', 'tab direct']`. */
  async expectOthers(wanted: readonly string[], timeout = 20_000): Promise<void> {
    const seen = async () => {
      const others = (await this.peers()).filter(({ link }) => link !== 'you');
      return others.map(({ where, link }) => `${where === 'relay' ? 'relay' : 'tab'} ${link}`).sort();
    };
    await expect.poll(seen, { timeout, message: 'the other peers here' }).toEqual([...wanted].sort());
  }

  /** This tab's own row. */
  async self(): Promise<PeerRow> {
    await expect(this.#list.getByRole('button', { name: / you / })).toBeVisible();
    const self = (await this.peers()).find(({ link }) => link === 'you');
    if (self === undefined) throw new Error('this tab is not in its own list');
    return self;
  }

  /** Who this tab is. */
  async ownIds(): Promise<{ readonly peer: string; readonly device: string }> {
    const dialog = await this.#open(/ you /);
    const ids = { peer: await copyable(dialog, 'peer id'), device: await copyable(dialog, 'device id') };
    await dialog.getByRole('button', { name: 'Close' }).click();
    return ids;
  }

  /** How often a peer has served a tool, as told to this tab. */
  async served(name: string, tool: string): Promise<number> {
    const dialog = await this.#open(name);
    const text = await dialog
      .getByRole('listitem')
      .filter({ has: this.#page.getByRole('link', { name: tool, exact: true }) })
      .textContent();
    await dialog.getByRole('button', { name: 'Close' }).click();
    return Number(/([\d,]+)\s*$/.exec(text ?? '')?.[1]?.replaceAll(',', ''));
  }

  async #open(name: string | RegExp): Promise<Locator> {
    await this.#list.getByRole('button', { name }).click();
    const dialog = this.#page.getByRole('dialog', { name: 'Peer' });
    await expect(dialog).toBeVisible();
    return dialog;
  }
}

/** The whole of a text that is shown shortened beside a copy button. */
async function copyable(within: Locator, label: string): Promise<string> {
  const button = within.getByRole('button', { name: new RegExp(`^Copy ${label} `) });
  return ((await button.getAttribute('aria-label')) ?? '').slice(`Copy ${label} `.length);
}

/** What a screen reader hears of a row: `Amber Heron · 7f3k2q direct 12 ms 6 tools 3 served 12 records visible tab, …`. */
const ROW =
  /button "(?:(?<name>[^"]*?) )?(?<link>you|direct|relayed|connecting) (?:–|[\d.,]+ m?s) [\d,]+ tools? (?<served>[\d,]+) served (?<records>[\d,]+) records (?<where>relay|visible tab|hidden tab)/;

function readPeerRows(snapshot: string): PeerRow[] {
  return snapshot
    .replaceAll('\u00a0', ' ')
    .split('\n')
    .flatMap((line) => {
      const groups = ROW.exec(line)?.groups;
      if (groups === undefined) return [];
      const { name = '', link, served = '', records = '', where } = groups;
      const count = (digits: string) => Number(digits.replaceAll(',', ''));
      return {
        name,
        link: link as LinkWord,
        served: count(served),
        records: count(records),
        where: where as PeerRow['where'],
      };
    });
}
