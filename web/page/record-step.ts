import type { ChosenFile } from '../data/read-chosen.ts';
import { wavFile } from '../data/wav.ts';
import type { RemoteDesk } from '../worker/desk-methods.ts';
import { element } from './element.ts';
import { RecordButton } from './record-button.ts';
import { TakenFiles } from './taken-files.ts';

/** Least number of sentences that can be trained on. */
const FEWEST = 5;

/** Turns the microphone of a button on while a fold is open. */
function listenIn(fold: HTMLDetailsElement, button: RecordButton): void {
  fold.addEventListener('toggle', async () => {
    if (!fold.open) return button.turnOff();
    element('file-problem', HTMLElement).textContent = await button.turnOn();
  });
}

/**
 * Sounds from the microphone, class by class: the user names a class, and holds a button for each sound.
 *
 * @param onTaken called with all sounds, in a folder for each class
 */
export function recordSounds(desk: RemoteDesk, onTaken: (files: ChosenFile[]) => void): void {
  const fold = element('record-fold', HTMLDetailsElement);
  const name = element('sound-name', HTMLInputElement);
  const use = element('use-recorded', HTMLButtonElement);
  const taken = new TakenFiles(desk, element('recorded', HTMLElement), 'sound');
  const button = new RecordButton(
    'record',
    async (samples) => {
      await taken.add(name.value, 'wav', (path) => wavFile(samples, path));
      use.disabled = taken.classes < 2;
    },
    () => name.reportValidity() && name.value.trim() !== '',
  );
  listenIn(fold, button);
  use.addEventListener('click', () => {
    fold.open = false;
    onTaken(taken.files);
  });
}

/**
 * Sentences that the user reads aloud, one after the other.
 *
 * @param onTaken called with the recordings, and with their metadata
 */
export function recordSentences(onTaken: (files: ChosenFile[]) => void): void {
  const fold = element('sentences-fold', HTMLDetailsElement);
  const field = element('sentences', HTMLTextAreaElement);
  const shown = element('sentence', HTMLElement);
  const [again, use] = [element('read-again', HTMLButtonElement), element('use-read', HTMLButtonElement)];
  /** The recordings by their sentences, so that the user may edit the others. */
  const read = new Map<string, File>();
  let count = 0;
  const sentences = () => [...new Set(field.value.split('\n').map((line) => line.trim()))].filter(Boolean);
  const next = () => sentences().find((sentence) => !read.has(sentence));
  const spoken = () => sentences().filter((sentence) => read.has(sentence));

  function draw(): void {
    shown.textContent = next() ?? 'All sentences are recorded.';
    again.disabled = spoken().length === 0;
    use.disabled = spoken().length < FEWEST;
    const label = `Use these recordings (${spoken().length} of ${sentences().length})`;
    if (use.textContent !== label) use.textContent = label;
  }

  const button = new RecordButton(
    'read',
    (samples) => {
      read.set(next()!, wavFile(samples, `clip-${++count}.wav`));
      draw();
    },
    () => next() !== undefined,
  );
  listenIn(fold, button);
  field.addEventListener('input', draw);
  again.addEventListener('click', () => {
    read.delete([...read.keys()].findLast((sentence) => sentences().includes(sentence))!);
    draw();
  });
  use.addEventListener('click', () => {
    fold.open = false;
    const clips = spoken().map((text) => ({ text, file: read.get(text)! }));
    const lines = clips.map(({ text, file }) => `${JSON.stringify({ file_name: file.name, text })}\n`);
    const metadata = new File(lines, 'metadata.jsonl');
    onTaken(
      [metadata, ...clips.map(({ file }) => file)].map((file) => ({ path: `recordings/${file.name}`, file })),
    );
  });
  draw();
}
