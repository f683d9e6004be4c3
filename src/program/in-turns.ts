import { Turns } from '../support/turns.ts';
import type { Engine } from './engine.ts';

/** Returns an engine with sessions that compute one batch at a time, because WebAssembly cannot run two at once. */
export function inTurns(engine: Engine): Engine {
  const turns = new Turns();
  return {
    ...engine,
    async open(outputs, options) {
      const session = await engine.open(outputs, options);
      return { ...session, run: (feeds, into) => turns.run(() => session.run(feeds, into)) };
    },
  };
}
