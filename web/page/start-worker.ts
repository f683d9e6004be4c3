import { type Remote, wrap } from 'comlink';
import { moduleWorker } from '../data/module-worker.ts';
import type { Desk } from '../worker/desk.ts';

/** Starts the worker that all work is done in. */
export function startWorker(): Remote<Desk> {
  return wrap<Desk>(moduleWorker('worker.js'));
}
