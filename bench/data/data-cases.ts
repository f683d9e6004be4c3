import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { atomicWrite } from '../../src/input/store/node/atomic-write.ts';
import type { BaseDtype } from '../../src/program/bases/base-dtype.ts';
import { parseRunConfig } from '../../src/training/run/config/parse-run-config.ts';
import type { RunConfig } from '../../src/training/run/config/run-config.ts';

export const MODEL = '../shared/models/all-MiniLM-L6-v2';
const GLUE = '../shared/data/glue';

/** Datasets by the names of their examples. `data` is what the request has. */
export const DATA = {
  // `evalBatch` is our default; PEFT uses the same.
  cola: { name: 'CoLA', ...glue('CoLA'), evalBatch: 64 },
  mrpc: { name: 'MRPC', ...glue('MRPC'), evalBatch: 64 },
  squad: {
    name: "XQuAD's English questions",
    ...questions('../shared/data/squad/xquad.en.json'),
    evalBatch: 32,
  },
};
export type DataTask = keyof typeof DATA;

function glue(folder: string) {
  return {
    data: GLUE,
    head: 'SEQ_CLS' as const,
    train: join(GLUE, folder, 'train.tsv'),
    dev: join(GLUE, folder, 'dev.tsv'),
  };
}

/** Speed is measured, so the questions are for training and evaluation. */
function questions(file: string) {
  return { data: file, head: 'QUESTION_ANS' as const, train: file, dev: file, evaluated: 24 };
}

/**
 * Returns the file to evaluate and predict: the development set, or a new file with some of its paragraphs. All
 * questions would take most of the bench's time.
 */
export function devFile(task: DataTask, folder: string): string {
  const chosen = DATA[task];
  if (!('evaluated' in chosen)) return chosen.dev;
  const { data, ...rest } = JSON.parse(readFileSync(chosen.dev, 'utf8')) as Articles;
  const paragraphs = data.flatMap((article) => article.paragraphs);
  const every = Math.floor(paragraphs.length / chosen.evaluated);
  const kept = paragraphs.filter((_, i) => i % every === 0).slice(0, chosen.evaluated);
  const path = `${folder}-dev.json`;
  atomicWrite(path, JSON.stringify({ ...rest, data: [{ title: '', paragraphs: kept }] }));
  return path;
}

interface Articles {
  data: { paragraphs: unknown[] }[];
}

/**
 * Each task is measured twice. The first time, PEFT groups texts of similar length in a batch, as our side
 * always does. The second time, PEFT's batches are in random order, as in its examples.
 */
export const DATA_CASES = Object.entries(DATA).flatMap(([task, { name }]) =>
  [true, false].map((group_by_length) => ({
    task: task as DataTask,
    name: `${name}, ${group_by_length ? 'equal batches' : "PEFT's in random order"}`,
    group_by_length,
  })),
);

/** The request to train, which PEFT's process and ours both receive. */
export interface DataRequest {
  model: string;
  /** The folder of GLUE, or a file with questions. */
  data: string;
  task: DataTask;
  /** The file to evaluate. */
  dev: string;
  dtype: BaseDtype | 'bfloat16';
  /** Number of steps between two evaluations. */
  block_steps: number;
  eval_batch: number;
  threads: number;
  /** Whether PEFT groups texts of similar length in a batch. */
  group_by_length: boolean;
}

export function isThere(task: DataTask): boolean {
  return [MODEL, DATA[task].train, DATA[task].dev].every((path) => existsSync(path));
}

/**
 * The example's config with AdaLoRA and an evaluation after every block of steps. The budget falls from the
 * end of the first block on, so that all later blocks allocate. The other phases of the schedule fit the
 * whole run.
 */
export function dataConfig({ model, task, dev, dtype, block_steps, eval_batch }: DataRequest): RunConfig {
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
        train: DATA[task].train,
        validation: dev,
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
