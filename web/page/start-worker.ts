import { type Remote, wrap } from 'comlink';
import { moduleWorker } from '../data/module-worker.ts';
import type { Desk } from '../worker/desk.ts';

/** Starts the worker that does all computation. */
export function startWorker(): Remote<Desk> {
  return wrap<Desk>(moduleWorker('worker.js'));
}
