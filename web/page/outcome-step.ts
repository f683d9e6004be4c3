import type { Remote } from 'comlink';
import { capital, counted, score } from '../../src/report/format.ts';
import { findingSentences } from '../../src/report/verdict/finding-sentences.ts';
import { verdictSentence } from '../../src/report/verdict/verdict-sentence.ts';
import type { Desk } from '../worker/desk.ts';
import type { Prediction } from '../worker/messages.ts';
import { element } from './element.ts';
import { labelBars } from './label-bars.ts';
import { pageWords } from './page-words.ts';
import type { Ended } from './training-step.ts';

/** Delay between the last key and the prediction of a text, in milliseconds. */
const PAUSE_MS = 250;
const MAX_SHOWN = 6;

/**
 * The fourth step: the model's scores, predictions for a text, and downloads. Listeners are added once.
 *
 * @returns a function that shows the outcome of a run; undefined hides the step
 */
export function outcomeStep(desk: Remote<Desk>): (ended: Ended | undefined) => void {
  const section = element('outcome', HTMLElement);
  const typed = element('typed', HTMLTextAreaElement);
  const answer = element('answer', HTMLElement);
  let fileName = '';
  let timer = 0;
  let turn = 0;

  async function ask(): Promise<void> {
    const mine = ++turn;
    const text = typed.value.trim();
    if (text === '') {
      answer.innerHTML = '';
      return;
    }
    const html = await desk.predict(text).then(
      (prediction) => answerOf(prediction),
      (error: Error) => error.message,
    );
    if (mine !== turn) return;
    if (typeof html === 'string') answer.textContent = html;
    else answer.innerHTML = html.text;
  }

  typed.addEventListener('input', () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, PAUSE_MS);
  });
  const forget = element('forget', HTMLButtonElement);
  forget.addEventListener('click', async () => {
    forget.disabled = true;
    await desk.discard();
  });
  element('ask', HTMLFormElement).addEventListener('submit', (event) => event.preventDefault());
  const problem = element('outcome-problem', HTMLElement);
  const saves = (id: string, what: string, make: () => Promise<Blob>) => {
    const button = element(id, HTMLButtonElement);
    button.addEventListener('click', async () => {
      button.disabled = true;
      problem.textContent = '';
      try {
        save(await make(), `${fileName.replace(/\.[^.]*$/, '')}-${what}.zip`);
      } catch (error) {
        problem.textContent = (error as Error).message;
      }
      button.disabled = false;
    });
  };
  saves('save-adapter', 'adapter', () => desk.adapter());
  saves('save-onnx', 'onnx', () => desk.onnx());

  return (ended) => {
    section.hidden = !ended;
    turn++;
    typed.value = '';
    answer.innerHTML = '';
    if (!ended) return;
    ({ fileName } = ended.begun);
    forget.disabled = !ended.begun.isKept;
    const { metrics, verdict } = ended.outcome;
    const { heldOutRows } = ended.begun;
    element('score', HTMLElement).textContent =
      `Correct on ${(100 * metrics.eval_accuracy).toFixed(1)} % of ${counted(heldOutRows)} held-out rows.`;
    element('score-note', HTMLElement).textContent =
      `${verdict ? `${capital(verdictSentence(verdict))}. ` : ''}F1 is ${score(metrics.eval_f1)}.`;
    element('verdict', HTMLElement).textContent = verdict
      ? findingSentences(verdict).map(pageWords).join('\n')
      : '';
  };
}

function answerOf({ probabilities }: Prediction) {
  const shown = probabilities.slice(0, MAX_SHOWN).map(([label, share]) => ({
    ...{ label, share },
    value: `${(100 * share).toFixed(1)} %`,
  }));
  return labelBars(shown, true);
}

function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // A browser that asks where to save the file reads the URL later.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
