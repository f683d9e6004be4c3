import type { ChosenFile } from '../data/read-chosen.ts';
import { toWav } from '../data/wav.ts';
import type { RemoteDesk } from '../worker/desk-methods.ts';
import type { OpenedFile } from '../worker/messages.ts';
import { cameraStep } from './camera-step.ts';
import { element, withPath } from './element.ts';
import { recordSentences, recordSounds } from './record-step.ts';

const EXAMPLE = 'messages.tsv';

/**
 * The first step: the user chooses a file or a folder, drops one on the page, takes pictures, records sounds,
 * or takes the example.
 *
 * @param takeModel takes the files of a model, and returns false for other files
 * @param onOpening called when another file replaces the open one
 * @param onOpened called with the open file, or undefined if it could not be read
 * @returns functions that open the same file again, with or without a header line, and another file
 */
export function fileStep(
  desk: RemoteDesk,
  takeModel: (chosen: readonly ChosenFile[]) => boolean,
  onOpening: () => void,
  onOpened: (file: OpenedFile | undefined) => void,
): { again(header: boolean): void; open(files: readonly ChosenFile[]): void } {
  const input = element('input', HTMLInputElement);
  const problem = element('file-problem', HTMLElement);
  const drop = element('drop', HTMLElement);
  let files: readonly ChosenFile[] = [];
  let opened = 0;

  async function open(header?: boolean): Promise<void> {
    if (files.length === 0) return;
    const turn = ++opened;
    problem.textContent = '';
    drop.setAttribute('aria-busy', 'true');
    onOpening();
    const result = await desk.open(files, toWav, header).catch((error: Error) => {
      if (turn === opened) problem.textContent = error.message;
      return undefined;
    });
    // Another file may have been chosen meanwhile.
    if (turn !== opened) return;
    drop.removeAttribute('aria-busy');
    onOpened(result);
  }
  function openChosen(chosen: readonly ChosenFile[]): void {
    if (chosen.length === 0 || takeModel(chosen)) return;
    files = chosen;
    void open();
  }

  for (const chooser of [input, element('folder', HTMLInputElement)]) {
    // Otherwise, a user could not choose the same file again after editing it.
    chooser.addEventListener('click', () => {
      chooser.value = '';
    });
    chooser.addEventListener('change', () => openChosen([...(chooser.files ?? [])].map(withPath)));
  }
  cameraStep(desk, openChosen);
  recordSounds(desk, openChosen);
  recordSentences(openChosen);
  const example = element('example', HTMLButtonElement);
  example.addEventListener('click', async () => {
    const response = await fetch(new URL('example.tsv', import.meta.url)).catch(() => undefined);
    if (response?.ok) openChosen([withPath(new File([await response.blob()], EXAMPLE))]);
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
    void droppedFiles(event.dataTransfer!).then(openChosen);
  });
  return { again: (header) => void open(header), open: openChosen };
}

/** The dropped files, and all files below dropped folders. */
async function droppedFiles({ items }: DataTransfer): Promise<ChosenFile[]> {
  // The items exist only until the event is over. A file without an entry is not from a disk.
  const dropped = [...items].map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const files = dropped.map(({ entry, file }) => (entry ? filesBelow(entry) : file ? [withPath(file)] : []));
  return (await Promise.all(files)).flat();
}

async function filesBelow(entry: FileSystemEntry): Promise<ChosenFile[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    return [{ path: entry.fullPath.slice(1), file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: ChosenFile[] = [];
  // A reader returns a hundred entries at a time, and none at the end.
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (entries.length === 0) return files;
    files.push(...(await Promise.all(entries.map(filesBelow))).flat());
  }
}
