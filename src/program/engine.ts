import type { Value } from '../engine/graph/graph.ts';
import type { Session } from '../engine/runtime/session.ts';
import type { MaskSource } from '../models/nn/dropout.ts';
import { Turns } from '../support/turns.ts';

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

export interface EngineOpenOptions {
  /**
   * Whether products may copy frozen matrices into their kernels' layout. They do it once, instead of once per product:
   * the fewer rows a product has, the more that is worth. Other sessions do not share the copies. An engine may ignore
   * this.
   */
  packed?: boolean;
}

/** Opens sessions for the named outputs of a graph. The sessions read the model's frozen weights. */
export interface Engine {
  /** The best place to cut dropout masks. Default: the host. */
  masks?: MaskSource;
  open(outputs: Readonly<Record<string, Value>>, options?: EngineOpenOptions): Promise<Session>;
}
