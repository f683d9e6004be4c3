import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { BaseDtype } from '../../src/bases/base-dtype.ts';
import { parseRunConfig } from '../../src/run/config/parse-run-config.ts';
import type { RunConfig } from '../../src/run/config/run-config.ts';

export const MODEL = '../shared/models/all-MiniLM-L6-v2';
export const GLUE = '../shared/data/glue';

/** Folders of GLUE data sets, by the names of their examples. */
const FOLDERS = { cola: 'CoLA', mrpc: 'MRPC' };
export type DataTask = keyof typeof FOLDERS;

/**
 * Each task is measured twice. The first time, PEFT groups texts of similar length in a batch, as our side
 * always does. The second time, PEFT's batches are in random order, as in its examples.
 */
export const DATA_CASES = Object.entries(FOLDERS).flatMap(([task, name]) =>
  [true, false].map((group_by_length) => ({
    task: task as DataTask,
    name: `${name}, ${group_by_length ? 'equal batches' : "PEFT's in random order"}`,
    group_by_length,
  })),
);

/** The request to train, which PEFT's process and ours both receive. */
export interface DataRequest {
  model: string;
  data: string;
  task: DataTask;
  dtype: BaseDtype | 'bfloat16';
  /** Number of steps between two evaluations. */
  block_steps: number;
  eval_batch: number;
  threads: number;
  /** Whether PEFT groups texts of similar length in a batch. */
  group_by_length: boolean;
}

/** The path of a task's `train.tsv` or `dev.tsv`. */
export function dataFile(data: string, task: DataTask, split: 'train' | 'dev'): string {
  return join(data, FOLDERS[task], `${split}.tsv`);
}

export function isThere(task: DataTask): boolean {
  return [MODEL, dataFile(GLUE, task, 'train'), dataFile(GLUE, task, 'dev')].every((path) =>
    existsSync(path),
  );
}

/**
 * The example's config with AdaLoRA and an evaluation after every block of steps. The budget falls from the
 * end of the first block on, so that all later blocks allocate. The other phases of the schedule fit the
 * whole run.
 */
export function dataConfig({ model, data, task, dtype, block_steps, eval_batch }: DataRequest): RunConfig {
  const path = `examples/${task}.yaml`;
  const example = parse(readFileSync(path, 'utf8'));
  return parseRunConfig(
    {
      ...example,
      defaults: 'huggingface',
      model,
      base_dtype: dtype,
      data: {
        ...example.data,
        train: dataFile(data, task, 'train'),
        validation: dataFile(data, task, 'dev'),
      },
      training: {
        ...example.training,
        per_device_eval_batch_size: eval_batch,
        eval_strategy: 'steps',
        eval_steps: block_steps,
        logging_steps: block_steps,
      },
      adalora: { ...example.adalora, tinit: block_steps },
    },
    path,
  ) as RunConfig;
}
