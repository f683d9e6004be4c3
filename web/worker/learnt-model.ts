import { zipSync } from 'fflate';
import {
  type ClassAnswer,
  exportOnnx,
  type OpenOptions,
  open,
  type Texts,
  type TrainedModel,
  type TrainResult,
} from '../../src/web/index.ts';
import type { Prediction } from './messages.ts';

/** The trained model of a run. It labels texts, and can be downloaded. It opens when the first text is labelled. */
export class LearntModel {
  readonly #trained: TrainResult;
  readonly #options: OpenOptions;
  #model: Promise<TrainedModel> | undefined;

  constructor(trained: TrainResult, options: OpenOptions) {
    this.#trained = trained;
    this.#options = options;
  }

  async predict(text: string): Promise<Prediction> {
    this.#model ??= open(this.#trained, this.#options);
    const model = await this.#model;
    for await (const answer of model.predict<Texts, ClassAnswer>([{ text }])) {
      const probabilities = Object.entries(answer.probabilities);
      return { probabilities: probabilities.sort((a, b) => b[1] - a[1]) };
    }
    throw new Error('a text without an answer');
  }

  /** An archive with the adapter's files, in PEFT's format. */
  adapter(): Blob {
    return archive(this.#trained.adapter!);
  }

  /** An archive with the adapter merged into the encoder, as ONNX files that transformers.js loads. */
  async onnx(): Promise<Blob> {
    return archive(await exportOnnx(this.#trained, this.#options));
  }

  async close(): Promise<void> {
    const model = await this.#model?.catch(() => undefined);
    await model?.close();
  }
}

function archive(files: ReadonlyMap<string, Uint8Array | string>): Blob {
  const encoder = new TextEncoder();
  const bytes = [...files].map(([name, content]): [string, Uint8Array] => [
    name,
    typeof content === 'string' ? encoder.encode(content) : content,
  ]);
  // Weights are nearly random, so compressing them takes long and saves little.
  return new Blob([zipSync(Object.fromEntries(bytes), { level: 1 }) as BlobPart], {
    type: 'application/zip',
  });
}
