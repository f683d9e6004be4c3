import '../worker/without-eval.ts';

import { pageScript } from '../../src/studies/report/page/page.ts';

import type { Outcome, Watcher } from '../worker/messages.ts';
import { choiceStep } from './choice-step.ts';
import { fileStep } from './file-step.ts';
import { isolate } from './isolate.ts';
import { keptStep } from './kept-step.ts';
import { labelStep } from './label-step.ts';
import { modelStep } from './model-step.ts';
import { outcomeStep } from './outcome-step.ts';
import { startWorker } from './start-worker.ts';
import { trainingStep } from './training-step.ts';

await isolate();
// The report's script: sliders and downloads.
pageScript();

const desk = startWorker();
const outcome = outcomeStep(desk);
const models = modelStep(desk);
const choice = choiceStep(
  desk,
  models,
  (header) => file.again(header),
  (wish, settings) => run((watcher) => desk.train(wish, settings, watcher)),
);
const file = fileStep(
  desk,
  models.take,
  () => {
    choice.clear();
    hideLabels();
  },
  choice.show,
);
const hideLabels = labelStep(desk, models.model, () => choice.show(undefined), file.open);
const offerKept = keptStep(desk, () => run((watcher) => desk.resume(watcher)));
void offerKept(true);

async function run(start: (watcher: Watcher) => Promise<Outcome>): Promise<void> {
  choice.lock(true);
  void offerKept(false);
  outcome.show(undefined);
  const ended = await trainingStep(desk, start, outcome.probed);
  choice.lock(false);
  if (ended && ended.outcome.reason !== 'stopped') outcome.show(ended);
  else void offerKept(true);
}
