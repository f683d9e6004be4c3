/* Runs in the page, as text: it may use nothing from outside itself. */

/**
 * Keeps a live page up to date: what the server sends replaces the parts of the page that differ. Reconnects by itself
 * (the browser does) until the server says that the run is over.
 */
export function liveScript(): void {
  const connection = document.getElementById('connection')!;
  const source = new EventSource('events');

  function replace(id: string, html: string): void {
    const old = document.getElementById(id);
    const fresh = new DOMParser().parseFromString(html, 'text/html').getElementById(id);
    if (!old || !fresh) return;
    const parts = (element: Element) => [...element.querySelectorAll<HTMLElement>('[data-part]')];
    const names = (element: Element) =>
      parts(element)
        .map(({ dataset }) => dataset.part)
        .join();
    if (names(old) !== names(fresh)) {
      old.replaceWith(document.adoptNode(fresh));
      return;
    }
    // Only what changed, so that a slider in use, a selection or a tooltip stays.
    const current = parts(old);
    parts(fresh).forEach((part, i) => {
      if (part.innerHTML !== current[i].innerHTML) current[i].replaceChildren(...part.childNodes);
    });
  }

  source.addEventListener('section', ({ data }) => {
    const { id, html } = JSON.parse(data) as { id: string; html: string };
    replace(id, html);
    document.dispatchEvent(new Event('update'));
  });
  source.addEventListener('end', () => {
    source.close();
    connection.textContent = 'The run is over; this page stays as it is and is no longer served.';
  });
  source.onopen = () => {
    connection.textContent = '';
  };
  source.onerror = () => {
    connection.textContent = 'No connection to the run; trying again.';
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
