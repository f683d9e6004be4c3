/* Runs in the page. It is sent as text, so it must not use anything outside itself. */

/**
 * Keeps a live page up to date: dispatches the sections that the server sends as events. The browser reconnects until
 * the server says that the run has ended.
 */
export function liveScript(): void {
  const connection = document.getElementById('connection')!;
  const source = new EventSource('events');

  source.addEventListener('section', ({ data }) => {
    document.dispatchEvent(new CustomEvent('section', { detail: JSON.parse(data) }));
  });
  source.addEventListener('end', () => {
    source.close();
    connection.textContent = 'The run is over. This page is no longer updated.';
  });
  source.onopen = () => {
    connection.textContent = '';
  };
  source.onerror = () => {
    connection.textContent = 'No connection to the run. Trying again.';
  };
  document.addEventListener('submit', (event) => {
    const form = event.target as HTMLFormElement;
    if (!form.matches('.stop')) return;
    event.preventDefault();
    const button = form.querySelector('button')!;
    button.disabled = true;
    fetch('stop', { method: 'POST' }).then(
      (response) => {
        button.disabled = response.ok;
      },
      () => {
        button.disabled = false;
      },
    );
  });
}
