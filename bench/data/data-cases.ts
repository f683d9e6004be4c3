import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { BaseDtype } from '../../src/bases/base-dtype.ts';
import { parseRunConfig } from '../../src/run/config/parse-run-config.ts';
import type { RunConfig } from '../../src/run/config/run-config.ts';

export const MODEL = '../shared/models/all-MiniLM-L6-v2';
export const GLUE = '../shared/data/glue';

/** Data sets by the names of their examples, with their GLUE folders. */
const FOLDERS = { cola: 'CoLA', mrpc: 'MRPC' };
export type DataTask = keyof typeof FOLDERS;

/**
 * First with equal batches: of similar length on both sides, as ours always are; then with PEFT's in random order, as
 * in its examples.
 */
export const DATA_CASES = Object.entries(FOLDERS).flatMap(([task, name]) =>
  [true, false].map((group_by_length) => ({
    task: task as DataTask,
    name: `${name}, ${group_by_length ? 'equal batches' : "PEFT's in random order"}`,
    group_by_length,
  })),
);

/** The request to train, for PEFT and for us. */
export interface DataRequest {
  model: string;
  data: string;
  task: DataTask;
  dtype: BaseDtype | 'bfloat16';
  /** Steps between two evaluations. */
  block_steps: number;
  eval_batch: number;
  threads: number;
  /** Whether PEFT's batches are also of similar length. */
  group_by_length: boolean;
}

/** `train.tsv` or `dev.tsv` of a task. */
export function dataFile(data: string, task: DataTask, split: 'train' | 'dev'): string {
  return join(data, FOLDERS[task], `${split}.tsv`);
}

export function isThere(task: DataTask): boolean {
  return [MODEL, dataFile(GLUE, task, 'train'), dataFile(GLUE, task, 'dev')].every((path) =>
    existsSync(path),
  );
}

/**
 * The example's config with AdaLoRA. An evaluation follows every block of steps. The budget falls from the end of the
 * first block on, so that every later block allocates; the schedule's other phases are those of the whole run.
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
