import type { Value } from '../engine/graph/graph.ts';
import type { Device, Session } from '../engine/runtime/session.ts';
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

/**
 * Returns an engine that waits for the next event loop turn before every computation, because it computes without a
 * pause. So a page can draw and handle clicks.
 */
export function betweenTurns(engine: Engine): Engine {
  return {
    ...engine,
    async open(outputs, options) {
      const session = await engine.open(outputs, options);
      return {
        async run(feeds, into) {
          await nextTurn();
          return session.run(feeds, into);
        },
        release: () => session.release(),
      };
    },
  };
}

/** Resolves in the next turn. A message arrives at once, whereas a timer waits for some milliseconds. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** The best place to cut dropout masks on a device. */
export function masksOn(device: Device): MaskSource {
  return device === 'webgpu' ? 'graph' : 'host';
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
