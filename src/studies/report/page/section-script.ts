/* Runs in the page. It is sent as text, so it must not use anything outside itself. */

/**
 * Replaces changed sections of the page. A `section` event on the document has the section's `id` and new `html` in its
 * `detail`. An `update` event follows.
 */
export function sectionScript(): void {
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
    // Only changed parts are replaced, so that a slider in use, a selection or a tooltip stays.
    const current = parts(old);
    parts(fresh).forEach((part, i) => {
      if (part.innerHTML !== current[i]!.innerHTML) current[i]!.replaceChildren(...part.childNodes);
    });
  }

  document.addEventListener('section', (event) => {
    const { id, html } = (event as CustomEvent<{ id: string; html: string }>).detail;
    replace(id, html);
    document.dispatchEvent(new Event('update'));
  });
}
