import { Zip, ZipPassThrough } from 'fflate';
import {
  type ClassAnswer,
  exportOnnx,
  type OpenOptions,
  open,
  type ResultFiles,
  type TextInput,
  type TrainedModel,
} from '../../src/faces/web/index.ts';
import { pairVectors } from '../../src/studies/jobs/label-session.ts';
import { OnDemand } from '../../src/support/opened.ts';
import { findNearest } from '../../src/tasks/sentence-embedding/embed-texts.ts';
import { unit } from '../../src/tasks/sentence-vectors.ts';
import { chooseGoal, GOAL_MEDIA } from './goal.ts';
import type { FileRows } from './label-desk.ts';
import type { Found, Prediction } from './messages.ts';
import type { PageRun } from './page-run.ts';

/** Maximum number of answers to a question. */
const MAX_FOUND = 6;
/** Number of answers that are read between two messages about it. */
const PIECE = 64;
/** Size of the parts of an archive. */
const PART_BYTES = 2 ** 22;

/**
 * The trained model of a run. It labels texts or files, finds answers or writes transcripts, and can be downloaded. It opens
 * when the first one is asked about.
 */
export class LearntModel {
  readonly #trained: ResultFiles;
  readonly #run: PageRun;
  readonly #options: OpenOptions;
  readonly #model: OnDemand<{ model: TrainedModel; release(): Promise<void> }>;
  #answers: Promise<Answers> | undefined;

  /** @param run the run that trained it, whose answers a search finds */
  constructor(trained: ResultFiles, run: PageRun, options: OpenOptions) {
    this.#trained = trained;
    this.#run = run;
    this.#options = options;
    this.#model = new OnDemand(async () => {
      const model = await open(trained, options);
      return { model, release: () => model.close() };
    });
  }

  /** Opens the model before it is asked. While another model is trained, opening takes much longer. */
  async prepare(): Promise<void> {
    await this.#model.get();
  }

  async predict(input: string | File): Promise<Prediction> {
    const { model } = await this.#model.get();
    const given =
      typeof input === 'string'
        ? { text: input }
        : {
            text: input.name,
            [GOAL_MEDIA[chooseGoal(this.#run)]!]: new Uint8Array(await input.arrayBuffer()),
          };
    for await (const answer of model.predict<TextInput, ClassAnswer | { text: string }>([given])) {
      if ('text' in answer) return { transcript: answer.text };
      const probabilities = Object.entries(answer.probabilities);
      return { probabilities: probabilities.sort((a, b) => b[1] - a[1]) };
    }
    throw new Error('an input without an answer');
  }

  /**
   * The answers of the run's rows that are closest to a question, the closest first.
   *
   * @param onRead called with the share of the answers that is read, until all are
   */
  async search(question: string, onRead: (share: number) => void): Promise<Found[]> {
    const { model } = await this.#model.get();
    this.#answers ??= readAnswers(model, this.#run, onRead);
    const { texts, vectors } = await this.#answers.catch((error: unknown) => {
      // The next question reads them again.
      this.#answers = undefined;
      throw error;
    });
    const [query] = await model.embed([question]);
    return findNearest(query!, vectors, MAX_FOUND).map(({ number, score }) => ({
      answer: texts[number]!,
      cosine: score,
    }));
  }

  /** An archive with the adapter's files, in PEFT's format. */
  adapter(): Promise<Blob> {
    return archive(this.#trained);
  }

  /** An archive with the adapter merged into the encoder, as ONNX files that transformers.js loads. */
  async onnx(): Promise<Blob> {
    return archive(await exportOnnx(this.#trained, this.#options));
  }

  close(): Promise<void> {
    return this.#model.release();
  }
}

interface Answers {
  texts: string[];
  /** Their vectors, of length 1. */
  vectors: Float32Array[];
}

/** Computes the vectors of all different answers in the files of a run. */
async function readAnswers(
  model: TrainedModel,
  { config, files }: PageRun,
  onRead: (share: number) => void,
): Promise<Answers> {
  if (config.task !== 'sentence_embedding') throw new Error('this run has no answers');
  const column = String(config.data.positive);
  const lines = Object.values(files).flatMap((content) => String(content).split('\n').filter(Boolean));
  const texts = [...new Set(lines.map((line): string => JSON.parse(line)[column]))];
  return { texts, vectors: (await embedPieces(model, texts, onRead)).map(unit) };
}

/** The vectors of rows to label. `onRead` is called with the share that is read. */
export async function embedRows(
  model: TrainedModel,
  { rows, pictures }: FileRows,
  onRead: (share: number) => void,
): Promise<Float32Array[]> {
  const texts = rows.map(({ text }) => text);
  if (pictures) return embedPictures(model, texts, pictures, onRead);
  if (rows.every(({ text_pair }) => text_pair === undefined)) return embedPieces(model, texts, onRead);
  const seconds = rows.map(({ text_pair = '' }) => text_pair);
  const all = await embedPieces(model, [...texts, ...seconds], onRead);
  return pairVectors(all.slice(0, texts.length), all.slice(texts.length));
}

async function embedPictures(
  model: TrainedModel,
  names: readonly string[],
  pictures: ReadonlyMap<string, Blob>,
  onRead: (share: number) => void,
): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (const name of names) {
    onRead(vectors.length / names.length);
    const image = new Uint8Array(await pictures.get(name)!.arrayBuffer());
    for await (const { embedding } of model.predict<object, { embedding: Float32Array }>([
      { text: name, image },
    ]))
      vectors.push(Float32Array.from(embedding));
  }
  return vectors;
}

/** The vectors of texts. `onRead` is called with the share that is read. */
async function embedPieces(
  model: TrainedModel,
  texts: readonly string[],
  onRead: (share: number) => void,
): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  while (vectors.length < texts.length) {
    onRead(vectors.length / texts.length);
    vectors.push(...(await model.embed(texts.slice(vectors.length, vectors.length + PIECE))));
  }
  return vectors;
}

/**
 * A zip archive, uncompressed: weights are nearly random, and a compressed copy would need more memory. It is given to the
 * browser in parts, because the page keeps a copy of a part until the browser has it.
 */
async function archive(files: ReadonlyMap<string, Uint8Array | string>): Promise<Blob> {
  const encoder = new TextEncoder();
  const chunks: Uint8Array[] = [];
  const parts: Blob[] = [];
  const give = async () => {
    for (const bytes of chunks.splice(0))
      for (let at = 0; at < bytes.length; at += PART_BYTES) {
        const part = new Blob([bytes.subarray(at, at + PART_BYTES) as BlobPart]);
        // Readable only when the browser has it.
        await part.slice(0, 1).arrayBuffer();
        parts.push(part);
      }
  };
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    chunks.push(chunk);
  });
  for (const [name, content] of files) {
    const entry = new ZipPassThrough(name);
    zip.add(entry);
    entry.push(typeof content === 'string' ? encoder.encode(content) : content, true);
    await give();
  }
  zip.end();
  await give();
  return new Blob(parts, { type: 'application/zip' });
}
