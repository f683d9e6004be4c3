import { counted } from '../../src/studies/report/format.ts';
import type { RemoteDesk } from '../worker/desk-methods.ts';
import { element } from './element.ts';

/**
 * Offers to resume the run of an earlier tab, if there is one.
 *
 * @returns a function that checks again, or hides the offer
 */
export function keptStep(desk: RemoteDesk, onContinue: () => void): (isShown: boolean) => Promise<void> {
  const section = element('kept', HTMLElement);
  const line = element('kept-line', HTMLElement);
  element('continue', HTMLButtonElement).addEventListener('click', onContinue);
  element('discard', HTMLButtonElement).addEventListener('click', async () => {
    // Until the run is deleted, the page must not be closed, and nothing can be resumed.
    section.inert = true;
    try {
      await desk.discard();
    } finally {
      section.inert = false;
    }
    section.hidden = true;
    element('input', HTMLInputElement).focus();
  });
  let asked = 0;
  return async (isShown) => {
    const turn = ++asked;
    section.hidden = true;
    const kept = isShown ? await desk.kept() : undefined;
    // A training may have started meanwhile.
    if (!kept || turn !== asked) return;
    const model = kept.model === undefined ? '' : ` of ${kept.model}`;
    line.textContent = `This browser has a training${model} on ${kept.fileName}, saved at step ${counted(kept.step)}. Continue it, or see its result if it was finished.`;
    section.hidden = false;
  };
}
