/** One thing that the app cannot do without. */
export interface Missing {
  readonly what: string;
  readonly why: string;
}

/** What this page lacks to be a peer; empty when it can start. */
export function missingFeatures(scope: typeof globalThis = globalThis): readonly Missing[] {
  const missing: Missing[] = [];
  if (!scope.isSecureContext) {
    missing.push({
      what: 'A secure connection',
      why: 'Browsers give keys, storage and workers to pages over https or from this computer (localhost) only.',
    });
  }
  if (!('RTCPeerConnection' in scope)) {
    missing.push({
      what: 'WebRTC',
      why: 'Peers connect to each other with it. A policy or an extension may have turned it off.',
    });
  }
  if (!('indexedDB' in scope)) {
    missing.push({ what: 'IndexedDB', why: 'What you collect is stored in it. Some private windows have none.' });
  }
  // without a secure context these two are absent for that reason alone
  if (scope.isSecureContext && !('locks' in scope.navigator)) {
    missing.push({
      what: 'Web Locks',
      why: 'Tabs of one browser share their storage with it. Browsers since 2022 have it.',
    });
  }
  if (!('Worker' in scope)) missing.push({ what: 'Web workers', why: 'Collecting and indexing run in them.' });
  return missing;
}
