import { EMBEDDED_MODEL } from '../../src/input/hub/model-id.ts';
import { capital } from '../../src/studies/report/format.ts';
import { type Markup, markup } from '../../src/studies/report/markup.ts';
import { findingSentences, verdictNote, verdictSentence } from '../../src/studies/report/verdict-sentence.ts';
import type { RowFiles } from '../data/row-files.ts';
import { toWav, wavFile } from '../data/wav.ts';
import type { RemoteDesk } from '../worker/desk-methods.ts';
import { GOAL_MEDIA, type Goal } from '../worker/goal.ts';
import type { Begun, Found, Prediction } from '../worker/messages.ts';
import { Camera } from './camera.ts';
import { element, save } from './element.ts';
import { GOAL_WORDS } from './goal-words.ts';
import { labelBars } from './label-bars.ts';
import { pageWords } from './page-words.ts';
import { RecordButton } from './record-button.ts';
import type { Ended } from './training-step.ts';

/** Delay between the last key and the prediction of a text, in milliseconds. */
const PAUSE_MS = 250;
const MAX_SHOWN = 6;
/** Files that the user may choose. */
const ACCEPTED: Record<RowFiles['medium'], string> = {
  image: 'image/jpeg,image/png,image/webp,image/gif',
  audio: 'audio/*',
};

/** The fourth step of a run. */
interface OutcomeStep {
  /** Shows the outcome of a run; undefined hides the step. */
  show(ended: Ended | undefined): void;
  /** Lets the user try a linear probe while the run continues. */
  probed(begun: Begun): void;
}

/**
 * The fourth step: the model's scores, its labels for a text or answers to a question, and downloads. Listeners are added once.
 */
export function outcomeStep(desk: RemoteDesk): OutcomeStep {
  const section = element('outcome', HTMLElement);
  const typed = element('typed', HTMLTextAreaElement);
  const answer = element('answer', HTMLElement);
  const [tried, look] = [element('tried', HTMLInputElement), element('look', HTMLButtonElement)];
  const shown = element('tried-picture', HTMLImageElement);
  const camera = new Camera(element('tried-camera', HTMLVideoElement));
  const listen = element('listen', HTMLButtonElement);
  const speak = new RecordButton('speak', (samples) => tryFile(wavFile(samples, 'microphone.wav')));
  let given: File | undefined;
  let fileName = '';
  let goal: Goal = 'labels';
  let timer = 0;
  let turn = 0;

  async function ask(): Promise<void> {
    const mine = ++turn;
    const text = typed.value.trim();
    if (GOAL_MEDIA[goal]) return askFile(mine);
    if (text === '') {
      answer.innerHTML = '';
      return;
    }
    const onRead = (share: number) => {
      if (mine === turn) answer.textContent = `Reading the answers: ${Math.round(100 * share)} %`;
    };
    const asked =
      goal === 'search'
        ? desk.search(text, onRead).then(describeFound)
        : desk.predict(text).then(describeAnswer);
    await answerWith(asked, mine);
  }

  async function answerWith(asked: Promise<Markup>, mine: number): Promise<void> {
    const html = await asked.catch((error: Error) => error.message);
    if (mine !== turn) return;
    if (typeof html === 'string') answer.textContent = html;
    else answer.innerHTML = html.text;
  }

  async function askFile(mine: number): Promise<void> {
    const asked = given;
    shown.hidden = true;
    answer.innerHTML = '';
    if (!asked) return;
    const seen = async () => {
      const url = await desk.thumbnail(asked);
      if (mine === turn) [shown.src, shown.hidden] = [url, false];
      return describeAnswer(await desk.predict(asked));
    };
    await answerWith(seen(), mine);
  }

  function tryFile(file: File | undefined): void {
    given = file;
    void ask();
  }
  tried.addEventListener('change', async () => {
    const file = tried.files?.[0];
    try {
      tryFile(file && GOAL_MEDIA[goal] === 'audio' ? await toWav(file) : file);
    } catch (error) {
      answer.textContent = (error as Error).message;
    }
  });
  listen.addEventListener('click', async () => {
    answer.textContent = await speak.turnOn();
  });
  look.addEventListener('click', async () => {
    try {
      if (camera.isOn) return tryFile(await camera.take('camera.jpg'));
      await camera.start();
      look.textContent = 'Take a picture';
    } catch (error) {
      answer.textContent = (error as Error).message;
    }
  });
  const fieldsOf = (of: Goal) => {
    goal = of;
    const medium = GOAL_MEDIA[goal];
    element('typed-field', HTMLElement).hidden = medium !== undefined;
    element('tried-field', HTMLElement).hidden = medium === undefined;
    element(medium ? 'tried-name' : 'typed-name', HTMLElement).textContent = GOAL_WORDS[goal].typed;
    if (medium) tried.accept = ACCEPTED[medium];
    look.hidden = medium !== 'image';
    element('spoken-field', HTMLElement).hidden = medium !== 'audio';
  };

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

  const say = (texts: Record<'outcome-title' | 'score' | 'score-note' | 'verdict', string>) => {
    for (const [id, text] of Object.entries(texts)) element(id, HTMLElement).textContent = text;
  };
  const actions = element('outcome-actions', HTMLElement);

  return {
    show(ended) {
      section.hidden = !ended;
      actions.hidden = false;
      turn++;
      if (!ended) {
        typed.value = '';
        tried.value = '';
        given = undefined;
        shown.hidden = true;
        camera.stop();
        speak.turnOff();
        look.textContent = 'Use the camera';
        answer.innerHTML = '';
        return;
      }
      ({ fileName } = ended.begun);
      forget.disabled = !ended.begun.isKept;
      element('outcome-model', HTMLElement).textContent = describeBase(ended.begun.facts.model);
      const { metrics, verdict } = ended.outcome;
      fieldsOf(ended.begun.goal);
      const words = GOAL_WORDS[goal];
      const describe = verdict?.score === words.metric ? verdictNote : verdictSentence;
      const note = verdict ? describe(verdict) : '';
      say({
        'outcome-title': '4. What it learned',
        score: words.score(metrics, ended.begun.heldOutRows),
        'score-note': `${note === '' ? '' : `${capital(note)}. `}${words.more(metrics)}`,
        verdict: verdict ? findingSentences(verdict).map(pageWords).join('\n') : '',
      });
      // A text that was typed for the probe, or its file.
      void ask();
    },
    probed(begun) {
      fieldsOf(begun.goal);
      section.hidden = false;
      actions.hidden = true;
      say({
        'outcome-title': '4. Try it while it learns',
        score: '',
        'score-note': 'A linear layer on the unchanged encoder answers now. The trained model follows.',
        verdict: '',
      });
    },
  };
}

/** Names the model that the adapter needs. */
function describeBase(model: string): string {
  if (model === EMBEDDED_MODEL) return '';
  return `The adapter is for ${model}. Commands download it if that is a name on the Hub; otherwise, give them its folder with --model.`;
}

function describeAnswer(prediction: Prediction): Markup {
  if ('transcript' in prediction) return markup`<p class="asked">${prediction.transcript}</p>`;
  const { probabilities } = prediction;
  const shown = probabilities.slice(0, MAX_SHOWN).map(([label, share]) => ({
    label,
    share,
    value: `${(100 * share).toFixed(1)} %`,
  }));
  return labelBars(shown, true);
}

function describeFound(found: readonly Found[]) {
  const bars = found.map(({ answer, cosine }) => ({
    label: answer,
    share: Math.max(0, cosine),
    value: cosine.toFixed(2),
  }));
  return labelBars(bars, true, 'answers');
}
