import type { Rows } from '../../input/data/rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import type { Scores } from '../../program/example-set.ts';
import type { ModelMachine } from '../../program/machine.ts';
import { assertOptions } from '../../support/options.ts';
import { EXPORT_FORMS } from './export-forms.ts';
import type { ExportGgufOptions } from './gguf-adapter.ts';
import type { MergeOptions } from './merged-form.ts';
import { EVALUATE_OPTIONS, type EvaluateParams } from './model-options.ts';
import type { ExportOnnxOptions } from './onnx-folder.ts';
import { closedModel } from './predictions.ts';
import { TrainedModel, type TrainedParts } from './trained-model.ts';
import type { OpenedTuned } from './trained-parts.ts';
import { adapterForm, writeForm } from './write-form.ts';

/** Options of the form in which a model is exported. */
export type ExportOptions = MergeOptions | ExportOnnxOptions | ExportGgufOptions;

/** A trained model with its files in folders. */
export class OpenedModel extends TrainedModel {
  readonly #opened: OpenedTuned;
  readonly #machine: ModelMachine;

  constructor(parts: TrainedParts, opened: OpenedTuned, machine: ModelMachine) {
    super(parts);
    this.#opened = opened;
    this.#machine = machine;
  }

  /** Like {@link TrainedModel.evaluate}, also for a file by its path. Language tasks also accept a folder of files. */
  override async evaluate(params: EvaluateParams<string | readonly TextFile[] | Rows>): Promise<Scores> {
    assertOptions('evaluate', params, EVALUATE_OPTIONS);
    const { data } = params;
    const files =
      typeof data === 'string'
        ? await this.#machine.data.at(data, this.definition().files.takesFolders)
        : data;
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
    const { mergedForm } = await import('./merged-form.ts');
    if (this.isClosed) throw closedModel(this.parts.path);
    writeForm(this.#machine.disk, this.#opened, mergedForm(this.#opened, options), output);
  }

  /**
   * Writes the model, or only its adapter, in another equivalent form.
   *
   * @param form `merged`, a checkpoint; `onnx`, a folder that transformers.js and Optimum load; `gguf`, the whole
   * model for llama.cpp and Ollama; `gguf-adapter`, the adapter alone for them; `mlx`, the adapter for mlx-lm; or another
   * form of the adapter, such as plain LoRA for AdaLoRA
   * @param output a new or empty folder
   * @param options options of this form
   * @throws UserError that names the available forms, for a folder with files in it, and for types of weights that are
   * unknown or cannot represent a value
   */
  async export(form: string, output: string, options: ExportOptions = {}): Promise<void> {
    const maker = await EXPORT_FORMS[form]?.load();
    if (this.isClosed) throw closedModel(this.parts.path);
    const made = maker?.make(this.#opened, options) ?? adapterForm(this.#opened, form, options);
    writeForm(this.#machine.disk, this.#opened, made, output);
  }
}
