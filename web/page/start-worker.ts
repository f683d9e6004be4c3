import { type Remote, wrap } from 'comlink';
import type { Desk } from '../worker/desk.ts';

/**
 * Starts the worker. It begins as an address of the page's own making, for such a worker is bound by the page's content
 * security policy also where the server that the files come from sends none.
 */
export function startWorker(): Remote<Desk> {
  const script = `import ${JSON.stringify(new URL('worker.js', import.meta.url).href)};`;
  const address = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  return wrap<Desk>(new Worker(address, { type: 'module' }));
}
