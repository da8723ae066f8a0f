import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAuditFiles } from '../../src/mesh/storage/audit-files.node.ts';
import { auditStoreContract } from './audit-store.ts';

auditStoreContract('files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-audit-'));
  const file = (segment: number) => join(folder, `audit-${String(segment).padStart(6, '0')}.jsonl`);
  return {
    open: () => openAuditFiles(folder),
    async tamper(segment, change) {
      const lines = (await readFile(file(segment), 'utf8')).trimEnd().split('\n');
      await writeFile(file(segment), `${change(lines).join('\n')}\n`);
    },
    steal: (segment) => rm(file(segment)),
    dispose: () => rm(folder, { recursive: true }),
  };
});
