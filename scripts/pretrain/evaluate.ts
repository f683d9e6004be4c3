import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { accuracy, classCounts, matthewsCorrelation } from '../../src/scores/metrics/classes.ts';
import { THIS_NODE } from '../../src/studies/jobs/node/machine.ts';
import { runInFolder } from '../../src/studies/jobs/run-in-folder.ts';
import { Random } from '../../src/support/random.ts';
import { parseRunConfig } from '../../src/training/run/config/parse-run-config.ts';
import { bagOfWords, type LabeledText } from './evaluation/bag-of-words.ts';
import { writeRandomTwin } from './evaluation/random-twin.ts';
import { EVALUATION_TASKS, type EvaluationTask, readTask } from './evaluation/tasks.ts';

/*
 * Evaluates an encoder on the development sets of GLUE tasks. Compares AdaLoRA on the encoder with AdaLoRA on
 * the same architecture with random weights, and with logistic regression on a bag of words.
 */

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/mini' },
    /** More model folders, separated by commas. */
    others: { type: 'string', default: '' },
    tasks: { type: 'string', default: EVALUATION_TASKS.map(({ name }) => name).join() },
    seeds: { type: 'string', default: '0' },
    'learning-rate': { type: 'string', default: '3e-3' },
    /** Replaces each task's number of epochs. */
    epochs: { type: 'string' },
    /** Skips both comparisons. */
    alone: { type: 'boolean', default: false },
  },
});
const FOLDER = 'runs/pretrain/evaluation';
const MAX_LENGTH = 64;

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const random = join(FOLDER, 'random');
if (!flags.alone) writeRandomTwin(random, flags.model, 0);
const models = [flags.model, ...flags.others.split(',').filter(Boolean), ...(flags.alone ? [] : [random])];
for (const task of EVALUATION_TASKS.filter(({ name }) => flags.tasks.split(',').includes(name))) {
  const all = readTask(task, 'train.tsv');
  const order = new Random(0, 'evaluation rows').permutation(all.length).subarray(0, task.rows);
  const train = Array.from(order, (at) => all[at]!);
  const test = readTask(task, 'dev.tsv');
  const files = { train: writeRows(task, 'train', train), test: writeRows(task, 'test', test) };
  for (const model of models) {
    const scores: number[] = [];
    for (const seed of flags.seeds.split(',').map(Number))
      scores.push(await adaLora(task, files, model, seed));
    report(task, `AdaLoRA on ${model}`, scores);
  }
  if (flags.alone) continue;
  const predicted = bagOfWords(
    train,
    test.map(({ text }) => text),
  );
  const labels = test.map(({ label }) => label);
  const score =
    task.metric === 'accuracy'
      ? accuracy(predicted, labels)
      : matthewsCorrelation(classCounts(predicted, labels, 2));
  report(task, 'logistic regression on a bag of words', [score]);
}

async function adaLora(
  task: EvaluationTask,
  files: { train: string; test: string },
  model: string,
  seed: number,
): Promise<number> {
  const output = join(FOLDER, `${task.name}-${model.replaceAll(/\W+/g, '-')}-${seed}`);
  const config = parseRunConfig(
    {
      model,
      task: 'single_label_classification',
      method: 'adalora',
      output,
      seed,
      data: {
        train: files.train,
        validation: files.test,
        text: 'text',
        label: 'label',
        max_length: MAX_LENGTH,
      },
      training: {
        num_train_epochs: Number(flags.epochs ?? task.epochs),
        learning_rate: Number(flags['learning-rate']),
        per_device_train_batch_size: 64,
        per_device_eval_batch_size: 128,
        warmup_ratio: 0.06,
      },
      adalora: {
        target_r: 8,
        init_r: 12,
        lora_alpha: 16,
        tinit: '10%',
        tfinal: '40%',
        deltaT: 10,
        orth_reg_weight: 0.1,
      },
    },
    'evaluate.ts',
  );
  const { metrics } = await runInFolder(THIS_NODE, config, {
    resume: false,
    shouldStop: () => false,
    onEvent: (event) => {
      if (event.type === 'evaluation') console.log(`  ${JSON.stringify(event)}`);
    },
  });
  return metrics[`eval_${task.metric}`] ?? metrics[task.metric]!;
}

function writeRows({ name }: EvaluationTask, part: string, rows: readonly LabeledText[]): string {
  const path = join(FOLDER, `${name}-${part}.jsonl`);
  writeFileSync(
    path,
    rows.map(({ text, label }) => `${JSON.stringify({ text, label: `${label}` })}\n`).join(''),
  );
  return path;
}

function report(task: EvaluationTask, what: string, scores: readonly number[]): void {
  console.log(`${task.name} ${task.metric}  ${what}: ${scores.map((score) => score.toFixed(4)).join(' ')}`);
}
