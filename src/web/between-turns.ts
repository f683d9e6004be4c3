import type { Engine } from '../program/engine.ts';

/**
 * Waits for the page's next event loop turn before every computation, because the engine computes without a pause. So
 * the page can draw and handle clicks.
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
