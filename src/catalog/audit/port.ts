import type { AuditPort } from '../../contracts/access.ts';
import type { Ports } from '../../contracts/ports.ts';
import { TabmeshError } from '../../lib/errors.ts';

/** The audit log of this place. @throws `unsupported` where none is kept */
export function auditOf({ audit }: Pick<Ports, 'audit'>): AuditPort {
  if (audit !== null) return audit;
  throw new TabmeshError('unsupported', 'no audit log is kept here', { hint: 'Ask a relay: it keeps one.' });
}
