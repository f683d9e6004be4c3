import type { Message, Port } from '../../src/support/calls/caller.ts';

/**
 * Starts a worker from one of the page's own scripts. It starts from a blob URL. The page's content security policy
 * applies to such a worker even if the server sends no policy.
 */
export function moduleWorker(script: string): Worker {
  const source = `import ${JSON.stringify(new URL(script, import.meta.url).href)};`;
  const address = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(address, { type: 'module' });
  // After its first message, the worker no longer needs the URL.
  worker.addEventListener('message', () => URL.revokeObjectURL(address), { once: true });
  return worker;
}

/** A worker, or the page's thread as a worker sees it. */
interface End {
  postMessage(message: Message, options: { transfer: ArrayBuffer[] }): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Message>) => void): void;
}

/** The port between the page and a worker, at either end. */
export function createPort(end: End): Port {
  return {
    send: (message, transfer = []) => end.postMessage(message, { transfer }),
    onMessage: (listener) => end.addEventListener('message', ({ data }) => listener(data)),
  };
}
