import { EMBEDDED_MODEL } from '../../src/input/hub/model-id.ts';
import { counted, duration, short } from '../../src/studies/report/format.ts';
import { addEvent, emptyRecord, type RunRecord } from '../../src/studies/report/run/run-record.ts';
import { TimeLeft } from '../../src/studies/report/run/timeline.ts';
import type { ProgressEvent, TrainEvent } from '../../src/training/run/events.ts';
import type { RemoteDesk } from '../worker/desk-methods.ts';
import type { Begun, Outcome, Watcher } from '../worker/messages.ts';
import { element } from './element.ts';
import { GOAL_WORDS } from './goal-words.ts';
import { RunPicture } from './run-picture.ts';

/** Number of parts of a run. A screen reader announces the end of each. */
const SPOKEN_PARTS = 4;

const LOADING: Record<ProgressEvent['what'], string> = {
  download: 'Loading the encoder',
  base: 'Preparing the encoder',
  preparation: 'Preparing the rows',
  text: 'Reading the rows',
  folds: 'Estimating the accuracy',
};

/** How a run ended, with its start event. */
export interface Ended {
  begun: Begun;
  outcome: Outcome;
}

/**
 * The third step: starts a run with `start` and follows it until it ends. `onProbe` is called when a linear probe can
 * predict. If the run fails, shows the error and returns undefined.
 */
export async function trainingStep(
  desk: RemoteDesk,
  start: (watcher: Watcher) => Promise<Outcome>,
  onProbe: (begun: Begun) => void,
): Promise<Ended | undefined> {
  const [line, note, spoken, problem] = ['step-line', 'training-note', 'spoken', 'training-problem'].map(
    (id) => element(id, HTMLElement),
  ) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement];
  const progress = element('progress', HTMLProgressElement);
  const stop = element('stop', HTMLButtonElement);
  const timeLeft = new TimeLeft();
  let record: RunRecord | undefined;
  let picture: RunPicture | undefined;
  let begun: Begun | undefined;
  let spokenPart = 0;
  /** Describes what would be lost if the run stopped now. Undefined if nothing would be lost. */
  let lost: string | undefined;

  for (const text of [note, spoken, problem]) text.textContent = '';
  line.textContent = 'Loading the encoder.';
  progress.value = 0;
  element('picture', HTMLElement).innerHTML = '';
  const section = element('training', HTMLElement);
  section.hidden = false;
  element('training-title', HTMLElement).focus();
  stop.hidden = false;
  stop.disabled = false;
  stop.onclick = () => {
    if (lost !== undefined && !confirm(`${lost} Stop anyway?`)) return;
    stop.disabled = true;
    line.textContent = 'Finishing the step.';
    void desk.stop();
  };

  const watcher: Watcher = {
    begun(run) {
      begun = run;
      if (!run.isKept) lost = 'This training is not saved, so its progress would be lost.';
      record = emptyRecord(run.facts);
      picture = new RunPicture(element('picture', HTMLElement), record);
      note.textContent = describeNote(run);
    },
    event(event: TrainEvent) {
      if (!record || !picture) return;
      addEvent(record, event);
      picture.changed();
      const left = timeLeft.after(event);
      if (event.type === 'progress')
        line.textContent = `${LOADING[event.what]}: ${Math.round(100 * event.share)} %`;
      if (!record.start || event.type !== 'step') return;
      progress.value = event.step / record.start.total_steps;
      if (!stop.disabled) line.textContent = stepLine(record, left);
      const part = Math.floor(SPOKEN_PARTS * progress.value);
      if (part > spokenPart && part < SPOKEN_PARTS)
        spoken.textContent = `${Math.round((100 * part) / SPOKEN_PARTS)} % of the steps done`;
      spokenPart = part;
    },
    probed() {
      if (begun) onProbe(begun);
    },
    checkpoint(unkept) {
      lost =
        unkept && 'The newest checkpoint is not saved, so the progress since the one before would be lost.';
      const message = unkept ? `A checkpoint could not be saved (${unkept}). Leave this tab open.` : '';
      // A screen reader reads the message again each time it is set.
      if (problem.textContent !== message) problem.textContent = message;
    },
  };

  try {
    const outcome = await start(watcher);
    line.textContent = describeOutcome(outcome);
    // The fourth step shows the score. A screen reader hears it here, because the focus stays in this step.
    spoken.textContent =
      `${line.textContent} ${outcome.reason === 'stopped' ? '' : describeScore(begun!, outcome)}`.trim();
    picture?.draw();
    return { begun: begun!, outcome };
  } catch (error) {
    line.textContent = 'The training failed.';
    problem.textContent = (error as Error).message;
    return undefined;
  } finally {
    stop.hidden = true;
  }
}

function describeNote({ facts, isKept }: Begun): string {
  const threads = crossOriginIsolated ? '' : ', in one thread because this page is not cross-origin isolated';
  const device = facts.device === 'webgpu' ? 'On the GPU (WebGPU)' : `On the CPU (WebAssembly)${threads}`;
  const kept = isKept
    ? 'A checkpoint is saved every 20 seconds.'
    : 'Not saved: another tab is saving its training, or this browser has no private file system. Leave this tab open.';
  const model = facts.model === EMBEDDED_MODEL ? '' : `Model: ${facts.model}. `;
  return `${model}${device}. ${kept}`;
}

function describeOutcome({ reason, step, train_runtime }: Outcome): string {
  return reason === 'stopped'
    ? `Stopped at step ${counted(step)}.`
    : `Done after ${duration(train_runtime)}.`;
}

function describeScore({ goal, heldOutRows }: Begun, { metrics }: Outcome): string {
  return GOAL_WORDS[goal].score(metrics, heldOutRows);
}

/** The progress of an active run: `Step 3 of 40 · loss 0.52 · 98 examples per second · 12.0 s left`. */
function stepLine({ start, step, steps }: RunRecord, secondsLeft: number): string {
  const last = steps.at(-1);
  return [
    `Step ${counted(step)} of ${counted(start?.total_steps ?? step)}`,
    ...(last ? [`loss ${short(last.loss)}`, `${short(last.examples_per_second)} examples per second`] : []),
    ...(Number.isFinite(secondsLeft) ? [`${duration(secondsLeft)} left`] : []),
  ].join(' · ');
}
