import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTraining } from '../../src/jobs/node/run-training.ts';
import { parseRunConfig } from '../../src/run/config/parse-run-config.ts';
import type { RunConfigInput } from '../../src/run/config/run-config.ts';
import { open } from '../../src/trained/node/open.ts';
import type { MethodName } from '../../src/tuners/registry.ts';
import { armNamed } from './arms.ts';
import type { LabelledRow, SuiteTask } from './tasks.ts';

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
}

/** Trains on some rows with an arm's settings, and scores the result on the test rows. */
export async function runCell(
  cell: Cell,
  suiteTask: SuiteTask,
  train: readonly LabelledRow[],
  test: readonly LabelledRow[],
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
      ...{ model, task, data, output, method: cell.method, seed: cell.seed, base_dtype: cell.base_dtype },
      ...(training && { training: { eval_strategy: 'no', ...training } }),
      ...(section && Object.keys(section).length > 0 && { [cell.method]: section }),
    } as RunConfigInput;
    const startedAt = performance.now();
    await runTraining(parseRunConfig(config, 'cell'), {
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
      return { ...cell, score, seconds };
    } finally {
      await opened.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function lines(rows: readonly LabelledRow[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}
