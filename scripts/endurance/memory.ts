import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { open, train } from 'adalora';
import { tinyRows, writeTinyData } from '../../tests/support/tiny-data.ts';
import { writeTinyModel } from '../../tests/support/tiny-model.ts';

/*
 * npx tsx scripts/endurance/memory.ts [--minutes 120] [--every 10] [--predictions 100000]
 *
 * Trains a tiny model for the given time, with evaluations and checkpoints, then predicts, all in one process
 * of the built package. Prints the memory of the process. The exit code is 1 if it grew by a fifth after the
 * second sample of either phase. V8 allocates tens of megabytes at once and frees them late.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '120' },
    every: { type: 'string', default: '10' },
    predictions: { type: 'string', default: '100000' },
  },
});
const minutes = (count: string) => Number(count) * 60_000;

const folder = mkdtempSync(join(tmpdir(), 'adalora-endurance-'));
const startedAt = performance.now();
/** Prints and returns the resident memory in MB. */
function look(what: string): number {
  const mb = process.memoryUsage.rss() / 2 ** 20;
  const past = (performance.now() - startedAt) / 60_000;
  console.log(`${past.toFixed(1).padStart(6)} min  ${mb.toFixed(1).padStart(6)} MB  ${what}`);
  return mb;
}

const config = (output: string, steps: number) => ({
  model: join(folder, 'model'),
  data: {
    train: join(folder, 'train.tsv'),
    validation: join(folder, 'dev.tsv'),
    text: 'sentence',
    label: 'label',
  },
  training: {
    max_steps: steps,
    eval_strategy: 'steps' as const,
    eval_steps: 1000,
    save_steps: 1000,
    logging_steps: 100,
  },
  adalora: { target_r: 2, init_r: 4, tinit: 10, tfinal: 10, deltaT: 10 },
  output: join(folder, output),
});

try {
  look('start');
  writeTinyModel(join(folder, 'model'));
  writeTinyData(join(folder, 'train.tsv'), 2000, 1);
  writeTinyData(join(folder, 'dev.tsv'), 200, 2);
  const trained = await trainedFor(minutes(values.minutes), minutes(values.every));
  const predicted = await predicting(Number(values.predictions));
  const grown = [trained, predicted].map((looks) => looks.at(-1)! / (looks[1] ?? looks[0]!));
  console.log(`training ${grown[0]!.toFixed(3)}, prediction ${grown[1]!.toFixed(3)} times the second look`);
  process.exitCode = grown.some((times) => times > 1.2) ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function trainedFor(duration: number, every: number): Promise<number[]> {
  const looks: number[] = [];
  // The first sample is early, when every part of the program has been used once.
  let next = startedAt + every / 10;
  const { step } = await train(config('long', 1e8), {
    signal: AbortSignal.timeout(duration),
    onEvent({ step }) {
      if (performance.now() < next) return;
      next = looks.length === 0 ? startedAt + every : next + every;
      looks.push(look(`step ${step}`));
    },
  });
  return [...looks, look(`step ${step}, stopped`)];
}

async function predicting(count: number): Promise<number[]> {
  await train(config('short', 50));
  await using model = await open(config('short', 50));
  const rows = tinyRows(1000, 3);
  const looks: number[] = [];
  for (let done = 0; done < count; done += rows.length) {
    for await (const _ of model.predict(rows));
    if (done % (10 * rows.length) === 0) looks.push(look(`${done + rows.length} predictions`));
  }
  return looks;
}
