import type { BaseDtype } from '../../bases/base-dtype.ts';
import { withBaseDtype } from '../../bases/node/with-base-dtype.ts';
import type { DownloadProgress } from '../../data/hub/node/download.ts';
import { dataFiles } from '../../data/node/text-files.ts';
import type { Rows } from '../../data/rows.ts';
import type { TextFile } from '../../data/text-file.ts';
import { ALONE_PROCESSES, type Processes } from '../../parallel/node/join-processes.ts';
import type { Scores } from '../../program/example-set.ts';
import { inTurns } from '../../program/in-turns.ts';
import { nodeEngine } from '../../program/node/node-engine.ts';
import type { Device } from '../../runtime/session.ts';
import { closedModel } from '../closed-model.ts';
import type { EvaluateParams } from '../model-options.ts';
import type { ExportOnnxOptions } from '../onnx-folder.ts';
import { TrainedModel, type TrainedParts } from '../trained-model.ts';
import { exportAdapter, ONNX_FORM } from './export-adapter.ts';
import { exportOnnx } from './export-onnx.ts';
import { type MergeOptions, writeMerged } from './merge.ts';
import { openText } from './open-text.ts';
import { type OpenedTuned, openTuned } from './open-tuned.ts';
import { readGenerationFiles } from './read-generation-files.ts';

export interface OpenOptions {
  /** The base model (folder or Hub id), where it lies elsewhere than the adapter says. */
  model?: string | undefined;
  device?: Device | undefined;
  /** How the frozen weights are kept; float32 by default, whatever the run had. */
  baseDtype?: BaseDtype | undefined;
  batchSize?: number | undefined;
  /** Tokens after which a text is cut, where that is not as in the run. */
  maxLength?: number | undefined;
  /** Whether it is to write text: it is opened with a head for that, whatever it was trained for. */
  generates?: boolean | undefined;
  /** Whether it is to make vectors of texts: a base model without a task is opened for that. */
  embeds?: boolean | undefined;
  /**
   * Whether a prompt that begins as what was read before is read from there on, as the turns of a conversation do. The
   * texts are the same up to rounding, so that a sampled one may depend on what was read before.
   */
  continues?: boolean | undefined;
  /** Told while files of the Hub are fetched. */
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Told where an adapter was trained on other weights than its base has; by default that is a warning of the process. */
  onNotice?: ((message: string) => void) | undefined;
}

/** What only commands have. */
export interface SharedOpenOptions extends OpenOptions {
  /** Those who share the work of answers and scores; each opens the model, and each gets all answers. */
  processes?: Processes;
}

/**
 * Opens a run's folder, an adapter's (of any method here, of PEFT or AdapterHub), a model's, or any of them on the Hub by its id:
 * to predict, evaluate, generate, merge or export in this thread. Close it after use.
 *
 * @throws UserError for anything missing, damaged or not fitting together
 */
export async function open(path: string, options: SharedOpenOptions = {}): Promise<OpenedModel> {
  const opened = await openTuned(path, options);
  try {
    const { baseFolder, tuner, values, notes } = opened;
    const model = await withBaseDtype(opened.model, options.baseDtype ?? 'float32');
    const { communicator, threads, sharesHost } = options.processes ?? ALONE_PROCESSES;
    let text: TrainedParts['text'] | undefined;
    const parts: TrainedParts = {
      ...{ path, model, tuner, values, notes },
      // Opened when it is first needed: to merge a model takes no tokenizer.
      get text() {
        text ??= openText(baseFolder, model.config, options.maxLength ?? notes?.data.max_length);
        return text;
      },
      engine: inTurns(nodeEngine(model, options.device ?? 'cpu', { threads, sharesHost })),
      communicator,
      generationFiles: () => readGenerationFiles(baseFolder),
      batchSize: options.batchSize,
      continues: options.continues,
    };
    return new OpenedModel(parts, opened);
  } catch (error) {
    opened.model.close();
    throw error;
  }
}

/** A trained model whose files lie in folders. */
export class OpenedModel extends TrainedModel {
  readonly #opened: OpenedTuned;

  constructor(parts: TrainedParts, opened: OpenedTuned) {
    super(parts);
    this.#opened = opened;
  }

  /** As {@link TrainedModel.evaluate}, also for a file by its path; tasks of text take a folder of files as well. */
  override async evaluate(params: EvaluateParams<string | readonly TextFile[] | Rows>): Promise<Scores> {
    const { data } = params;
    const files = typeof data === 'string' ? await dataFiles(data, this.definition().takesFolders) : data;
    return super.evaluate({ ...params, data: files });
  }

  /**
   * Writes the model that the adapter makes of its base as a checkpoint of its own.
   *
   * @param output a new or empty folder
   * @throws UserError for a folder with files in it, a model without an adapter, a method that cannot be merged, values that `dtype` cannot hold
   */
  async merge(output: string, options: MergeOptions = {}): Promise<void> {
    if (this.isClosed) throw closedModel(this.parts.path);
    writeMerged(this.#opened, output, options);
  }

  /**
   * Writes the model, or its adapter alone, in another form that computes the same.
   *
   * @param form `onnx`, a folder that transformers.js and Optimum load; or a form of the adapter's kind, such as plain
   * LoRA for AdaLoRA
   * @param output a new or empty folder
   * @param options of ONNX
   * @throws UserError naming the forms that there are, for a folder with files in it, for types of weights that are not known or cannot hold a value
   */
  async export(form: string, output: string, options: ExportOnnxOptions = {}): Promise<void> {
    if (this.isClosed) throw closedModel(this.parts.path);
    if (form === ONNX_FORM) exportOnnx(this.#opened, output, options);
    else exportAdapter(this.#opened, form, output);
  }
}
