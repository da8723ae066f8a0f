import type { ApprovalsPort } from '../../src/contracts/approvals.ts';
import type { RoomDataset } from '../../src/contracts/ports.ts';
import type { MeshPeer } from '../../src/contracts/mesh.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import { jcsCid } from '../../src/lib/jcs-cid.ts';
import { shared } from '../../src/lib/shared.ts';
import { openApprovals } from './access.ts';
import type { Scenario } from './scenarios.ts';

/** What nobody should have to read: it is shown as it is, and names what hides. */
const NASTY = 'Claude\u202e resworb\u200b <b onclick="alert(1)">admin</b>\u0007';

/** Who asks for what, with which arguments. */
type Question = readonly [name: string, tool: string, args: Readonly<Record<string, string>>];

/** What is asked in a scenario. */
function questions(
  scenario: Scenario,
  peers: readonly MeshPeer[],
  datasets: readonly RoomDataset[],
): readonly Question[] {
  const data = datasets[0]?.data ?? 'bafyreib2rxk3rybk3aobmv5cjuql3bm2twh4jo5uxgf5kpqcsgz7soitae';
  const other = peers[2]?.name ?? 'Olive Wren · k2m9qx';
  const one: readonly Question[] = [[other, 'delete_dataset', { dataset: data }]];
  if (scenario === 'typical')
    return [...one, ['Claude on the laptop', 'delete_dataset', { dataset: datasets[1]?.data ?? data }]];
  if (scenario === 'extreme') {
    const long = { text: 'all work and no play '.repeat(200), data };
    const many = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`field_${n}\u202e`, `${n} `.repeat(n * 30)]));
    return [[NASTY.repeat(3), 'delete_dataset', long], [NASTY, 'no_such_tool\n', many], ...one];
  }
  return scenario === 'failing' || scenario === 'pair' ? one : [];
}

/** The approvals of a fake room: some wait in the scenarios in which there is somebody to ask. */
export function fakeApprovals(
  scenario: Scenario,
  peers: readonly MeshPeer[],
  datasets: readonly RoomDataset[],
): () => Promise<ApprovalsPort> {
  const relay = peers.find(({ kind }) => kind === 'relay');
  const opened = shared(async () => {
    const { book } = await openApprovals();
    for (const [name, tool, args] of questions(scenario, peers, datasets)) {
      const isToken = name.startsWith('Claude');
      const key = `${isToken ? 'token' : 'device'}:${name}`;
      const device = isToken ? null : (peers.find((peer) => peer.name === name)?.device ?? null);
      const text = JSON.stringify(args);
      await book.ask({
        asker: {
          key,
          class: isToken ? 'relay' : 'member',
          name,
          device,
          ...(isToken && relay !== undefined ? { issuer: relay.device } : {}),
        },
        tool,
        access: 'write',
        call: jcsCid({ tool, args }),
        args: text.length > 2000 ? `${text.slice(0, 2000)}…` : text,
        handle: null,
      });
    }
    return book;
  });
  return async () => {
    if (scenario === 'offline') throw new TabmeshError('storage_failed', 'the stored approvals cannot be read');
    const book = await opened.get();
    if (scenario !== 'failing') return book;
    const fail = () =>
      Promise.reject(
        new TabmeshError('storage_failed', 'the answer could not be stored', { hint: 'Free some space.' }),
      );
    return new Proxy(book, {
      get: (target, name) => {
        if (name === 'decide' || name === 'revoke' || name === 'setClassAccess') return fail;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      },
    });
  };
}
