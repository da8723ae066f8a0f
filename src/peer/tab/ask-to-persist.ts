import type { Replica } from '../../contracts/replica.ts';

/**
 * Asks the browser to keep this origin's data once there is something to keep: with the first dataset, not before, because
 * some browsers ask the person. @returns stops waiting for it
 */
export function askToPersist(replica: Replica): () => void {
  const ask = () => {
    const own = replica.state().devices[replica.device];
    if (own === undefined || Object.keys(own.datasets).length === 0) return;
    stop();
    void navigator.storage.persisted().then((persisted) => (persisted ? true : navigator.storage.persist()));
  };
  const stop = replica.subscribe(ask);
  ask();
  return stop;
}
