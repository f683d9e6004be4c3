/**
 * Makes the page cross-origin isolated, as threads need it, even if the server does not send the headers: a service
 * worker adds them, and the page reloads. If that is impossible, the page continues with one thread.
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
  // Waits forever, because the page is about to reload.
  await new Promise(() => {});
}
