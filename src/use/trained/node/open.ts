import { dataFiles } from '../../../input/data/node/text-files.ts';
import type { Rows } from '../../../input/data/rows.ts';
import type { TextFile } from '../../../input/data/text-file.ts';
import type { ExportLoraOptions } from '../../../methods/tuners/adapter-kind.ts';
import { withBaseDtype } from '../../../program/bases/node/with-base-dtype.ts';
import { inTurns } from '../../../program/engine.ts';
import type { Scores } from '../../../program/example-set.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { ALONE_PROCESSES, type Processes } from '../../../program/parallel/communicator.ts';
import { assertOptions } from '../../../support/options.ts';
import { fittingBase } from '../fitting-base.ts';
import type { ExportGgufOptions } from '../gguf-adapter.ts';
import type { MergeOptions } from '../merged-form.ts';
import { EVALUATE_OPTIONS, type EvaluateParams } from '../model-options.ts';
import type { ExportOnnxOptions } from '../onnx-folder.ts';
import { closedModel } from '../predictions.ts';
import { TrainedModel, type TrainedParts } from '../trained-model.ts';
import { type OpenedTuned, trainedParts } from '../trained-parts.ts';
import type { OpenOptions } from './open-options.ts';
import { openTuned } from './open-tuned.ts';
import { writeForm } from './write-form.ts';

/** Options for commands only. */
export interface SharedOpenOptions extends OpenOptions {
  /** The processes that share predictions and scores. Each opens the model, and each gets all results. */
  processes?: Processes;
}

/**
 * Opens a model in this thread, to predict, evaluate, generate, merge or export: the folder of a run, an adapter (of
 * any method here, of PEFT or AdapterHub) or a model, or any of them on the Hub by its id. Close it after use.
 *
 * @throws UserError for anything missing, damaged or incompatible
 */
export async function open(path: string, options: SharedOpenOptions = {}): Promise<OpenedModel> {
  const opened = await openTuned(path, options);
  try {
    const fitting = fittingBase(opened.notes, options.baseDtype, opened.folder);
    const model = await withBaseDtype(opened.model, fitting);
    const { communicator, threads, sharesHost } = options.processes ?? ALONE_PROCESSES;
    const { batchSize, continues, device = 'cpu', maxLength } = options;
    const engine = inTurns(nodeEngine(model, device, { threads, sharesHost }));
    const others = { path, engine, communicator, batchSize, continues };
    return new OpenedModel(trainedParts({ ...opened, model }, maxLength, others), opened);
  } catch (error) {
    opened.model.close();
    throw error;
  }
}

/** Options of the form in which a model is exported. */
export type ExportOptions = ExportOnnxOptions | ExportGgufOptions | ExportLoraOptions;

/** A trained model with its files in folders. */
export class OpenedModel extends TrainedModel {
  readonly #opened: OpenedTuned;

  constructor(parts: TrainedParts, opened: OpenedTuned) {
    super(parts);
    this.#opened = opened;
  }

  /** Like {@link TrainedModel.evaluate}, also for a file by its path. Language tasks also accept a folder of files. */
  override async evaluate(params: EvaluateParams<string | readonly TextFile[] | Rows>): Promise<Scores> {
    assertOptions('evaluate', params, EVALUATE_OPTIONS);
    const { data } = params;
    const files =
      typeof data === 'string' ? await dataFiles(data, this.definition().files.takesFolders) : data;
    return super.evaluate({ ...params, data: files });
  }

  /**
   * Writes the merged model as a checkpoint.
   *
   * @param output a new or empty folder
   * @throws UserError for a folder with files in it, a model without an adapter, a method that cannot be merged, and
   * values that `dtype` cannot represent
   */
  async merge(output: string, options: MergeOptions = {}): Promise<void> {
    const { mergedForm } = await import('../merged-form.ts');
    if (this.isClosed) throw closedModel(this.parts.path);
    writeForm(this.#opened, mergedForm(this.#opened, options), output);
  }

  /**
   * Writes the model, or only its adapter, in another equivalent form.
   *
   * @param form `onnx`, a folder that transformers.js and Optimum load; `gguf`, an adapter for llama.cpp and Ollama; or
   * another form of the adapter, such as plain LoRA for AdaLoRA
   * @param output a new or empty folder
   * @param options options of this form
   * @throws UserError that names the available forms, for a folder with files in it, and for types of weights that are
   * unknown or cannot represent a value
   */
  async export(form: string, output: string, options: ExportOptions = {}): Promise<void> {
    const { adapterForm, GGUF_FORM, ggufForm, ONNX_FORM, onnxForm } = await import('../written-form.ts');
    if (this.isClosed) throw closedModel(this.parts.path);
    // Each form checks its own options.
    const made = () => {
      if (form === ONNX_FORM) return onnxForm(this.#opened, options as ExportOnnxOptions);
      if (form === GGUF_FORM) return ggufForm(this.#opened, options as ExportGgufOptions);
      return adapterForm(this.#opened, form, options as ExportLoraOptions);
    };
    writeForm(this.#opened, made(), output);
  }
}
