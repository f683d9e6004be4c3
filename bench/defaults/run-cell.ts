import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localData } from '../../src/input/data/node/text-files.ts';
import type { MethodName } from '../../src/methods/tuners/registry.ts';
import { FROZEN } from '../../src/methods/tuners/tuner.ts';
import { Program } from '../../src/program/program.ts';
import { numberRows, unitOutputs } from '../../src/studies/jobs/contenders/fit-rows.ts';
import { frozenProbe } from '../../src/studies/jobs/contenders/frozen.ts';
import { THIS_NODE } from '../../src/studies/jobs/node/machine.ts';
import { runInFolder } from '../../src/studies/jobs/run-in-folder.ts';
import { releasing } from '../../src/support/opened.ts';
import { listMetrics } from '../../src/tasks/registry.ts';
import { parseRunConfig } from '../../src/training/run/config/parse-run-config.ts';
import type { RunConfigInput } from '../../src/training/run/config/run-config.ts';
import { open } from '../../src/use/trained/node/open.ts';
import { armNamed } from './arms.ts';
import type { LabeledRow, SuiteTask } from './tasks.ts';

/** The facts that identify a cell in the table. */
export interface Cell {
  task: string;
  rows: number;
  model: string;
  method: MethodName;
  arm: string;
  seed: number;
  base_dtype: string;
}

export interface CellResult extends Cell {
  /** Score on the test rows: accuracy, or Pearson's correlation for a regression. */
  score: number;
  seconds: number;
  /** The score of a linear probe of the frozen model on the same rows. */
  probe?: number;
}

/** The arm that is SetFit: the Python package, in an environment of its own. */
export const SETFIT = 'setfit';

/**
 * Trains SetFit on some rows, and scores it on the test rows.
 *
 * @throws Error if the Python named by SETFIT_PYTHON has no SetFit
 */
export function runSetFit(
  cell: Cell,
  train: readonly LabeledRow[],
  test: readonly LabeledRow[],
  model: string,
): CellResult {
  const python = process.env.SETFIT_PYTHON ?? 'python3';
  const folder = mkdtempSync(join(tmpdir(), 'adalora-setfit-'));
  const file = join(folder, 'rows.jsonl');
  const run = (action: string, rows: readonly LabeledRow[], ...words: string[]) => {
    writeFileSync(file, lines(rows));
    const script = 'bench/python/from_file.py';
    const command = [script, 'setfit', action, file, join(folder, 'model'), model, ...words];
    const { status, stdout, stderr } = spawnSync(python, command, { encoding: 'utf8', maxBuffer: 2 ** 28 });
    if (status !== 0) throw new Error(`${python}: ${stderr.trim().split('\n').at(-1)}`);
    return stdout;
  };
  try {
    const startedAt = performance.now();
    run('train', train, `${cell.seed}`);
    const labels: string[] = JSON.parse(run('predict', test));
    const seconds = (performance.now() - startedAt) / 1000;
    const right = test.filter(({ label }, i) => label === labels[i]).length;
    return { ...cell, score: right / test.length, seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Trains on some rows with an arm's settings, and scores the result on the test rows. */
export async function runCell(
  cell: Cell,
  suiteTask: SuiteTask,
  train: readonly LabeledRow[],
  test: readonly LabeledRow[],
  model: string,
): Promise<CellResult> {
  const { task } = suiteTask;
  const folder = mkdtempSync(join(tmpdir(), 'adalora-defaults-'));
  try {
    const [trainFile, testFile] = ['train', 'test'].map((name) => join(folder, `${name}.jsonl`)) as [
      string,
      string,
    ];
    writeFileSync(trainFile, lines(train));
    // A class that is missing from the training rows cannot be predicted. Its test rows count as wrong.
    const known = new Set(train.map(({ label }) => label));
    const scored = task === 'regression' ? test : test.filter(({ label }) => known.has(label));
    writeFileSync(testFile, lines(scored));
    const { training, section } = armNamed(cell.arm, cell.method);
    const pair = train[0]!.text_pair !== undefined && { text_pair: 'text_pair' };
    const data = { train: trainFile, text: 'text', ...pair, label: 'label' };
    const output = join(folder, 'run');
    const config = {
      model,
      task,
      data,
      output,
      method: cell.method,
      seed: cell.seed,
      base_dtype: cell.base_dtype,
      ...(training && { training: { eval_strategy: 'no', ...training } }),
      ...(section && Object.keys(section).length > 0 && { [cell.method]: section }),
    } as RunConfigInput;
    const startedAt = performance.now();
    await runInFolder(THIS_NODE, parseRunConfig(config, 'cell'), {
      resume: false,
      onEvent: () => {},
      shouldStop: () => false,
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const opened = await open(output, { batchSize: 64 });
    try {
      const scores = (await opened.evaluate({ data: testFile })) as Record<string, number>;
      const score =
        task === 'regression' ? scores.eval_pearson! : (scores.eval_accuracy! * scored.length) / test.length;
      const probe = await scoreProbe(opened, trainFile, testFile);
      return { ...cell, score, seconds, ...(probe !== undefined && { probe }) };
    } finally {
      await opened.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The score of a linear probe of the model without its adapter. Undefined for a model without an adapter, whose weights are
 * not those before training.
 */
async function scoreProbe(
  trained: Awaited<ReturnType<typeof open>>,
  trainFile: string,
  testFile: string,
): Promise<number | undefined> {
  const task = trained.definition();
  const { engine, model, tuner } = trained.parts;
  const { reading } = trained.context();
  const probing = tuner === FROZEN.tuner ? undefined : task.training.probing?.(reading, model);
  if (!probing) return undefined;
  const read = async (file: string) => {
    const rows = task.files.read(await localData.at(file, false), reading);
    return task.evaluation(rows, trained.context(probing), task.training.batchSize.eval).rows!;
  };
  const [train, test] = [await read(trainFile), await read(testFile)];
  const program = new Program(engine, model, FROZEN.tuner);
  return releasing(program, async () => {
    const frozen = { program, values: FROZEN.values };
    const { fitted, strength } = await frozenProbe(train, frozen, { seed: 0 });
    const [layer] = await fitted.fit([strength]);
    const all = numberRows(test);
    const outputs = (await test.features(frozen, all)).map((row) => unitOutputs(layer!, row));
    const scores: Partial<Record<string, number>> = test.scores(outputs, all);
    return scores[`eval_${listMetrics(trained.task!, reading as Parameters<typeof listMetrics>[1])[0]}`];
  });
}

function lines(rows: readonly LabeledRow[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}
