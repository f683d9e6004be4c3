import { dataFiles } from '../../../../input/data/node/text-files.ts';
import { textInMemory } from '../../../../input/data/rows.ts';
import type { Scores } from '../../../../program/example-set.ts';
import type { Prompt, WriteOptions } from '../../../../program/generation/prompt.ts';
import type { Answering } from '../../../../support/calls/answer-calls.ts';
import type { Call } from '../../../../support/calls/call.ts';
import type { EmbedOptions } from '../../../../tasks/prediction.ts';
import type { MergeOptions } from '../merge.ts';
import type { ExportOptions, OpenedModel } from '../open.ts';
import type { ModelCard, ScoreRequest, ScoreTold } from './model-job.ts';
import { PredictionQueue } from './prediction-queue.ts';

/** The methods of an open model by name, for calls from another thread. */
export class ModelService {
  readonly #model: OpenedModel;
  readonly #queue: PredictionQueue;
  readonly #leave: () => void;
  /** Evaluations that wait for custom scores from the caller. */
  readonly #questions = new Map<number, (scores: Record<string, number> | undefined) => void>();
  #asked = 0;

  /** @param leave called once the model is closed */
  constructor(model: OpenedModel, leave: () => void) {
    this.#model = model;
    this.#queue = new PredictionQueue(model);
    this.#leave = leave;
  }

  get card(): ModelCard {
    const { task, labels } = this.#model;
    const answers = task !== undefined && this.#model.definition().prediction !== undefined;
    return { task, labels, inputsAtOnce: answers ? this.#model.inputsAtOnce : undefined };
  }

  async answer({ method, args }: Call, { signal, tell }: Answering): Promise<unknown> {
    switch (method) {
      case 'predict': {
        const [inputs, reading, before] = args as [unknown[], object | undefined, number];
        return this.#queue.answer(inputs, { reading, before, signal });
      }
      case 'embed': {
        const [texts, options] = args as [string[], EmbedOptions];
        const inputs = this.#model.vectorInputs(texts, options);
        return this.#model.vectorsOf(await this.#queue.answer(inputs, { signal }));
      }
      case 'evaluate':
        return this.#evaluate(args[0] as ScoreRequest, signal, tell);
      case 'scored':
        return this.#questions.get(args[0] as number)?.(args[1] as Record<string, number> | undefined);
      case 'generate': {
        const [prompt, options, streams] = args as [Prompt, WriteOptions, boolean];
        return this.#model.generate(prompt, { ...options, signal, ...(streams && { onText: tell }) });
      }
      case 'merge':
        return this.#model.merge(...(args as [string, MergeOptions]));
      case 'export':
        return this.#model.export(...(args as [string, string, ExportOptions]));
      case 'close':
        return this.#model.close().finally(() => this.#leave());
      default:
        throw new Error(`no method ${method}`);
    }
  }

  async #evaluate(
    { data, reading, own }: ScoreRequest,
    signal: AbortSignal,
    tell: (told: ScoreTold) => void,
  ): Promise<Scores> {
    const files =
      'path' in data
        ? await dataFiles(data.path, this.#model.definition().files.takesFolders)
        : [textInMemory('rows.jsonl', data.rows)];
    const compute = async (predictions: readonly unknown[], references: readonly unknown[]) => {
      const question = this.#asked++;
      const scores = await new Promise<Record<string, number> | undefined>((resolve) => {
        this.#questions.set(question, resolve);
        signal.addEventListener('abort', () => resolve(undefined), { once: true });
        tell({ answers: [predictions, references], question });
      });
      this.#questions.delete(question);
      if (scores) return scores;
      throw new Error("one of the caller's scores failed");
    };
    return this.#model.score(files, {
      reading,
      signal,
      own: own.length > 0 ? { names: own, compute } : undefined,
      onNotice: (notice) => tell({ notice }),
      onConfusion: (confusion) => tell({ confusion }),
    });
  }
}
