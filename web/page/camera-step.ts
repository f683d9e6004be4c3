import type { ChosenFile } from '../data/read-chosen.ts';
import type { RemoteDesk } from '../worker/desk-methods.ts';
import { Camera } from './camera.ts';
import { element } from './element.ts';
import { TakenFiles } from './taken-files.ts';

/** While the button is held, pictures are taken at this interval in milliseconds. */
const HELD_MS = 300;

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
  const taken = new TakenFiles(desk, element('taken', HTMLElement), 'picture');
  let timer = 0;

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
    if (!camera.isOn || !name.reportValidity() || name.value.trim() === '') return release();
    await taken.add(name.value, 'jpg', (path) => camera.take(path));
    use.disabled = taken.classes < 2;
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
    onTaken(taken.files);
  });
}
