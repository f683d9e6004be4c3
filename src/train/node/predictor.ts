import { labelMap } from '../../data/labels.ts';
import type { DataOptions, Row } from '../../data/row.ts';
import type { Device } from '../../runtime/session.ts';
import { maxLength } from '../../text/max-length.ts';
import { loadTokenizer } from '../../text/node/load-tokenizer.ts';
import type { TextTokenizer } from '../../text/tokenizer.ts';
import { FullTuner } from '../../tuners/full/full-tuner.ts';
import type { ImportedAdapter } from '../../tuners/peft/import-adapter.ts';
import { encodeSet, encodeTexts, type Texts } from '../encoded-set.ts';
import { evaluationScores, predictAll } from '../evaluate.ts';
import { Program } from '../program.ts';
import { type AdapterNotes, notesOfModel, readAdapterNotes } from './adapter-notes.ts';
import { type LoadedModel, loadModel } from './load-model.ts';
import { locateTrained } from './locate-trained.ts';
import { nodeEngine } from './node-engine.ts';
import { openAdapter } from './open-adapter.ts';

export interface PredictorOptions {
  /** The base model, where it lies elsewhere than the adapter says. */
  model?: string;
  device?: Device;
  batchSize?: number;
  /** Replaces what the adapter says of texts and columns. */
  data?: Partial<AdapterNotes['data']>;
}

/** A trained model that predicts. */
export interface Predictor {
  task: AdapterNotes['task'];
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

const DEFAULT_BATCH_SIZE = 64;
/** Rows that wait for each other, so that like lengths share a batch. */
const ROWS_AT_ONCE = 16 * DEFAULT_BATCH_SIZE;

/**
 * Opens a run's folder, an adapter's (of this program or of PEFT), or that of a fully fine-tuned model.
 *
 * @throws UserError for anything missing, damaged or not fitting together
 */
export async function openPredictor(path: string, options: PredictorOptions = {}): Promise<Predictor> {
  const { folder, kind, runModel } = locateTrained(path);
  const opened =
    kind === 'adapter' ? await openAdapted(folder, options.model ?? runModel) : await openModel(folder);
  return createPredictor(opened, options);
}

interface Opened extends ImportedAdapter {
  model: LoadedModel;
  tokenizer: TextTokenizer;
  notes: AdapterNotes;
}

async function openAdapted(folder: string, base: string | undefined): Promise<Opened> {
  const opened = await openAdapter(folder, base);
  const { typeVocabSize } = opened.model.config;
  return { ...opened, tokenizer: loadTokenizer(opened.baseFolder, { typeVocabSize }) };
}

async function openModel(folder: string): Promise<Opened> {
  const notes = readAdapterNotes(folder) ?? notesOfModel(folder);
  const model = loadModel(folder, notes.task);
  const tuner = new FullTuner(model);
  const tokenizer = loadTokenizer(folder, { typeVocabSize: model.config.typeVocabSize });
  return { model, tokenizer, notes, tuner, values: tuner.initialValues(0, model.reader(0)) };
}

function createPredictor(opened: Opened, { device = 'cpu', batchSize, data }: PredictorOptions): Predictor {
  const { model, tokenizer, notes, tuner, values } = opened;
  const { max_length, ...columns } = { ...notes.data, ...data };
  const length = maxLength(max_length, tokenizer.modelMaxLength, model.config.maxLength);
  const program = new Program(nodeEngine(model, device), model, tuner);
  const { numLabels } = model.config;
  const batches = { batchSize: batchSize ?? DEFAULT_BATCH_SIZE, padId: tokenizer.padId };
  return {
    task: notes.task,
    labels: notes.labels,
    data: { ...columns, task: notes.task },
    async *predict(rows) {
      for (const chunk of chunks(rows, ROWS_AT_ONCE)) {
        const logits = await predictAll(
          program,
          values,
          encodeTexts(chunk, tokenizer, length),
          numLabels,
          batches,
        );
        for (let row = 0; row < chunk.length; row++)
          yield logits.slice(row * numLabels, (row + 1) * numLabels);
      }
    },
    async evaluate(rows, fileName) {
      const set = encodeSet(rows, tokenizer, length, notes.task, labelMap(notes.labels), fileName);
      const logits = await predictAll(program, values, set, numLabels, batches);
      return evaluationScores(notes.task, logits, numLabels, set.targets);
    },
    async close() {
      await program.release();
      model.close();
    },
  };
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
