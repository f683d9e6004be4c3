/**
 * Makes the page cross-origin isolated, as threads need it, where the server does not send the headers: a service worker
 * adds them, and the page loads once more. Where that cannot be, the page goes on with one thread.
 */
export async function isolate(): Promise<void> {
  if (crossOriginIsolated || !('serviceWorker' in navigator) || sessionStorage.getItem('isolated')) return;
  sessionStorage.setItem('isolated', 'tried');
  try {
    await navigator.serviceWorker.register(new URL('service-worker.js', import.meta.url));
    await navigator.serviceWorker.ready;
  } catch {
    return;
  }
  location.reload();
  // What comes next would be in vain.
  await new Promise(() => {});
}
