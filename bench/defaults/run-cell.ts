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

/** What a cell of the table is of. */
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
  /** Accuracy, or Pearson's correlation of a regression, on the test rows. */
  score: number;
  seconds: number;
}

/** Tokens of a text: half of the default, for half the time. */
const MAX_LENGTH = 64;

/** Trains on some rows with an arm's settings and scores on the test rows. */
export async function runCell(
  cell: Cell,
  { task }: SuiteTask,
  train: readonly LabelledRow[],
  test: readonly LabelledRow[],
  model: string,
): Promise<CellResult> {
  const folder = mkdtempSync(join(tmpdir(), 'adalora-defaults-'));
  try {
    const [trainFile, testFile] = ['train', 'test'].map((name) => join(folder, `${name}.jsonl`));
    writeFileSync(trainFile, lines(train));
    writeFileSync(testFile, lines(test));
    const { training, section } = armNamed(cell.arm, cell.method);
    const pair = train[0].text_pair !== undefined && { text_pair: 'text_pair' };
    const data = { train: trainFile, text: 'text', ...pair, label: 'label', max_length: MAX_LENGTH };
    const output = join(folder, 'run');
    const config = {
      ...{ model, task, data, output, method: cell.method, seed: cell.seed, base_dtype: cell.base_dtype },
      ...(training && { training: { eval_strategy: 'no', ...training } }),
      ...(section && Object.keys(section).length > 0 && { [cell.method]: section }),
    } as RunConfigInput;
    const began = performance.now();
    await runTraining(parseRunConfig(config, 'cell'), {
      resume: false,
      onEvent: () => {},
      shouldStop: () => false,
    });
    const seconds = (performance.now() - began) / 1000;
    const opened = await open(output, { batchSize: 64 });
    try {
      const scores = (await opened.evaluate({ data: testFile })) as Record<string, number>;
      return { ...cell, score: scores[task === 'regression' ? 'eval_pearson' : 'eval_accuracy'], seconds };
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
