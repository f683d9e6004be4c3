/**
 * Starts a worker from one of the page's own scripts. It begins as an address of the page's own making, for such a worker is bound
 * by the page's content security policy also where the server that the files come from sends none.
 */
export function moduleWorker(script: string): Worker {
  const source = `import ${JSON.stringify(new URL(script, import.meta.url).href)};`;
  const address = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(address, { type: 'module' });
  // Its first word says that it has read the address.
  worker.addEventListener('message', () => URL.revokeObjectURL(address), { once: true });
  return worker;
}
