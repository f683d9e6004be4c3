import type { DataOptions, Row } from '../../data/row.ts';
import { isLanguageTask, type LanguageTask, type TaskType } from '../../data/task-type.ts';
import type { Device } from '../../runtime/session.ts';
import { UserError } from '../../support/user-error.ts';
import type { BaseDtype } from '../../bases/base-dtype.ts';
import { TASK_SETTINGS } from '../../run/config/task-settings.ts';
import { Program } from '../../program/program.ts';
import { encodedSet, type Texts } from '../../tasks/labelled-texts/encoded-set.ts';
import { predictAll } from '../../program/predict-all.ts';
import { sequenceTask } from '../../tasks/labelled-texts/sequence-task.ts';
import type { AdapterNotes } from './adapter-notes.ts';
import { nodeEngine } from '../../program/node/node-engine.ts';
import { contextOf, openTrained } from './open-trained.ts';

export interface PredictorOptions {
  /** The base model, where it lies elsewhere than the adapter says. */
  model?: string;
  device?: Device;
  /** How the frozen weights below an adapter are kept; float32 by default. */
  baseDtype?: BaseDtype;
  batchSize?: number;
  /** Replaces what the adapter says of texts and columns. */
  data?: Partial<AdapterNotes['data']>;
}

/** A trained model that predicts. */
export interface Predictor {
  task: TaskType;
  /** Class names by id; none for regression. */
  labels: readonly string[];
  /** How to read files of rows, as in the run. */
  data: Omit<DataOptions, 'format'>;
  /** Logits of each row, in order. */
  predict(rows: Iterable<Texts>): AsyncGenerator<Float32Array>;
  /** `eval_loss` and the metrics of the task over labelled rows. */
  evaluate(rows: readonly Row[], fileName: string): Promise<Record<string, number>>;
  close(): Promise<void>;
}

/** Rows that wait for each other, so that like lengths share a batch. */
const ROWS_AT_ONCE = 1024;

/**
 * Opens a run's folder, an adapter's (of this program or of PEFT), or that of a fully fine-tuned model, of a task whose
 * answers are classes or a score.
 *
 * @throws UserError for anything missing, damaged or not fitting together, and for language models
 */
export async function openPredictor(path: string, options: PredictorOptions = {}): Promise<Predictor> {
  const { device = 'cpu', data } = options;
  const trained = await openTrained(path, {
    model: options.model,
    baseDtype: options.baseDtype,
    maxLength: data?.max_length,
  });
  const { model, tuner, values, text, notes } = trained;
  const { task, labels } = notes;
  if (isLanguageTask(task)) {
    model.close();
    throw noClasses(path, task);
  }
  const { max_length: _, ...columns } = { ...notes.data, ...data } as DataOptions & { max_length?: number };
  const { numLabels } = model.config;
  const { tokenizer, maxLength } = text;
  const program = new Program(nodeEngine(model, device), model, tuner);
  const batchSize = options.batchSize ?? TASK_SETTINGS[task].batchSize.eval;
  return {
    task,
    labels,
    data: { ...columns, task },
    async *predict(rows) {
      for (const chunk of chunks(rows, ROWS_AT_ONCE)) {
        const set = encodedSet(chunk, tokenizer, maxLength);
        const logits = await predictAll(program, values, set, numLabels, batchSize);
        for (let row = 0; row < chunk.length; row++)
          yield logits.slice(row * numLabels, (row + 1) * numLabels);
      }
    },
    async evaluate(rows, fileName) {
      const labelled = { rows: [...rows], fileName };
      return sequenceTask(task).evaluation(labelled, contextOf(trained), batchSize).run(program, values);
    },
    async close() {
      await program.release();
      model.close();
    },
  };
}

function noClasses(where: string, task: LanguageTask): UserError {
  return new UserError({
    where,
    expected: 'a model that predicts classes or scores',
    got: `one of task ${task}`,
    hint:
      task === 'causal_lm'
        ? 'Let it write with adalora generate, or score it with adalora eval.'
        : 'Score it with adalora eval.',
  });
}

function* chunks<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length === size) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}
