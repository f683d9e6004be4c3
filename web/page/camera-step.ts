import { countedNoun } from '../../src/studies/report/format.ts';
import { markup } from '../../src/studies/report/markup.ts';
import type { ChosenFile } from '../data/read-pictures.ts';
import type { RemoteDesk } from '../worker/desk-methods.ts';
import { Camera } from './camera.ts';
import { element } from './element.ts';

/** While the button is held, pictures are taken at this interval in milliseconds. */
const HELD_MS = 300;
/** Number of thumbnails of a class. The newest are shown. */
const MAX_SHOWN = 12;

/**
 * Pictures from the camera, class by class: the user names a class and holds a button.
 *
 * @param onTaken called with all pictures, in a folder for each class
 */
export function cameraStep(desk: RemoteDesk, onTaken: (files: ChosenFile[]) => void): void {
  const fold = element('camera-fold', HTMLDetailsElement);
  const name = element('class-name', HTMLInputElement);
  const button = element('take', HTMLButtonElement);
  const use = element('use-taken', HTMLButtonElement);
  const problem = element('file-problem', HTMLElement);
  const camera = new Camera(element('camera', HTMLVideoElement));
  const taken: ChosenFile[] = [];
  const shown = new Map<string, string[]>();
  let [timer, count] = [0, 0];

  fold.addEventListener('toggle', async () => {
    camera.stop();
    problem.textContent = '';
    if (!fold.open) return;
    await camera.start().catch((error: Error) => {
      problem.textContent = error.message;
    });
    button.disabled = !camera.isOn;
  });

  async function take(): Promise<void> {
    // A slash would be a folder of its own.
    const label = name.value.trim().replaceAll('/', '-');
    if (!camera.isOn || !name.reportValidity() || label === '') return release();
    // Counted before the camera answers, because the next picture may be asked for meanwhile.
    const path = `${label}/${++count}.jpg`;
    const file = await camera.take(path);
    taken.push({ path, file });
    const url = await desk.thumbnail(file);
    shown.set(label, [...(shown.get(label) ?? []), url]);
    draw();
  }

  function draw(): void {
    const size = (label: string) => taken.filter(({ path }) => path.startsWith(`${label}/`)).length;
    const groups = [...shown].map(
      ([label, urls]) =>
        markup`<figure><figcaption><b>${label}</b>: ${countedNoun(size(label), 'picture')}</figcaption><div class="thumbnails">${urls.slice(-MAX_SHOWN).map((url) => markup`<img src="${url}" alt="">`)}</div></figure>`,
    );
    element('taken', HTMLElement).innerHTML = markup`${groups}`.text;
    use.disabled = shown.size < 2;
  }

  function release(): void {
    window.clearInterval(timer);
  }

  button.addEventListener('pointerdown', () => {
    release();
    timer = window.setInterval(take, HELD_MS);
  });
  for (const event of ['pointerup', 'pointerleave', 'pointercancel'] as const)
    button.addEventListener(event, release);
  button.addEventListener('click', () => void take());
  use.addEventListener('click', () => {
    camera.stop();
    fold.open = false;
    onTaken([...taken]);
  });
}
