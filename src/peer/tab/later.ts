/**
 * Fetches the parts of this page's program that joining a room does not need. They are asked for once more where they are
 * used; from then on they are there, also when the relay that serves them is not, which is when the doctor is called.
 * Never rejects: what could not be fetched is tried again when it is needed.
 */
export async function loadLater(): Promise<void> {
  await Promise.allSettled([
    import('../../mesh/doctor/run-doctor.ts'),
    import('../../data/car-import.ts'),
    import('./start-over.ts'),
    import('./github.ts'),
    import('../room/grant-ledger.ts'),
    import('../room/mcp-rest.ts'),
    import('../../mesh/principals/did.ts'),
    import('../../mesh/principals/reader.ts'),
    import('../../mesh/principals/signer.ts'),
    import('../../monitor/audit/read.ts'),
    import('../../monitor/audit/verify.ts'),
    import('../../tools/approvals/book.ts'),
    import('../../tools/approvals/gate.ts'),
    import('../../tools/audit/decisions.ts'),
    import('../../tools/grants/service.ts'),
    import('../../tools/routing/router.ts'),
  ]);
}
