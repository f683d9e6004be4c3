import { Caller } from '../../src/support/calls/caller.ts';
import { createPort, moduleWorker } from '../data/module-worker.ts';
import type { Desk } from '../worker/desk.ts';
import { DESK_METHODS, type RemoteDesk } from '../worker/desk-methods.ts';

/** Starts the worker that does all computation. */
export function startWorker(): RemoteDesk {
  return new Caller(createPort(moduleWorker('worker.js'))).remote<Desk>(DESK_METHODS);
}
