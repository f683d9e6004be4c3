import { Caller, remote } from '../../src/support/calls/caller.ts';
import { moduleWorker, portOf } from '../data/module-worker.ts';
import type { Desk } from '../worker/desk.ts';
import { DESK_METHODS, type RemoteDesk } from '../worker/desk-methods.ts';

/** Starts the worker that does all computation. */
export function startWorker(): RemoteDesk {
  const caller = new Caller(portOf(moduleWorker('worker.js')));
  return remote<Desk>((...call) => caller.call(...call), DESK_METHODS);
}
