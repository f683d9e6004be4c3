/**
 * Starts a worker from one of the page's own scripts. It starts from a blob URL, because such a worker is bound by
 * the page's content security policy even if the server sends none.
 */
export function moduleWorker(script: string): Worker {
  const source = `import ${JSON.stringify(new URL(script, import.meta.url).href)};`;
  const address = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(address, { type: 'module' });
  // Its first message means that it has read the URL.
  worker.addEventListener('message', () => URL.revokeObjectURL(address), { once: true });
  return worker;
}
