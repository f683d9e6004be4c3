import type { RemoteDesk } from '../worker/desk-methods.ts';
import type { OpenedFile } from '../worker/messages.ts';
import { element } from './element.ts';

const EXAMPLE = 'messages.tsv';

/**
 * The first step: the user chooses a file in the input, drops a file on the page, or takes the example.
 *
 * @param onOpening called when another file replaces the open one
 * @param onOpened called with the open file, or undefined if it could not be read
 * @returns a function that opens the same file again, with or without a header line
 */
export function fileStep(
  desk: RemoteDesk,
  onOpening: () => void,
  onOpened: (file: OpenedFile | undefined) => void,
): (header: boolean) => void {
  const input = element('input', HTMLInputElement);
  const problem = element('file-problem', HTMLElement);
  const drop = element('drop', HTMLElement);
  let file: File | undefined;
  let opened = 0;

  async function open(header?: boolean): Promise<void> {
    if (!file) return;
    const turn = ++opened;
    problem.textContent = '';
    drop.setAttribute('aria-busy', 'true');
    onOpening();
    const result = await desk.open(file, header).catch((error: Error) => {
      if (turn === opened) problem.textContent = error.message;
      return undefined;
    });
    // Another file may have been chosen meanwhile.
    if (turn !== opened) return;
    drop.removeAttribute('aria-busy');
    onOpened(result);
  }
  function openChosen(chosen: File | undefined): void {
    if (!chosen) return;
    file = chosen;
    void open();
  }

  // Otherwise, a user could not choose the same file again after editing it.
  input.addEventListener('click', () => {
    input.value = '';
  });
  input.addEventListener('change', () => openChosen(input.files?.[0]));
  const example = element('example', HTMLButtonElement);
  example.addEventListener('click', async () => {
    const response = await fetch(new URL('example.tsv', import.meta.url)).catch(() => undefined);
    if (response?.ok) openChosen(new File([await response.blob()], EXAMPLE));
    else problem.textContent = 'The example could not be loaded. Is the server of this page still running?';
  });
  // The button is enabled only now, because an earlier click would have been lost.
  example.disabled = false;
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) drop.classList.remove('over');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    openChosen(event.dataTransfer?.files[0]);
  });
  return (header) => void open(header);
}
