import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { type DownloadProgress, weightsDigest } from '../../../input/formats/byte-source.ts';
import { weightFiles } from '../../../input/formats/node/checkpoint.ts';
import { digestOf } from '../../../input/formats/node/content-digest.ts';
import { resolveModel } from '../../../input/hub/node/resolve-model.ts';
import { FROZEN, type TokensBefore } from '../../../methods/tuners/tuner.ts';
import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import { withBaseDtype } from '../../../program/bases/node/with-base-dtype.ts';
import type { Engine } from '../../../program/engine.ts';
import type { BatchForm } from '../../../program/modalities/modality.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { plainModel } from '../../../program/objectives/plain-model.ts';
import type { TaskModel } from '../../../program/objectives/task-model.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { openWeights, readFolder } from '../../trained/node/load-model.ts';
import type { Notes } from '../../trained/notes.ts';
import type { DescribedModel } from '../../trained/read-model.ts';
import { TrainedModel } from '../../trained/trained-model.ts';
import { trainedParts } from '../../trained/trained-parts.ts';
import type { ServedBase } from '../served-base.ts';

/** A model for a task, with its weights. */
interface Loaded {
  notes: Notes | undefined;
  model: LoadedModel;
}

/** A base model's folder. All adapters share its mapped weights and what its inputs need. */
export class BaseFolder implements ServedBase {
  /** The last part of its path or id. */
  readonly name: string;
  readonly #models = new Map<string, LoadedModel>();
  #digest: string | undefined;

  private constructor(
    /** The real path. */
    readonly folder: string,
    model: string,
    readonly described: DescribedModel,
    readonly baseDtype: BaseDtype,
  ) {
    this.name = modelName(model);
  }

  /**
   * @param model a folder, or an id on the Hub
   * @throws UserError if it is missing or damaged
   */
  static async open(
    model: string,
    baseDtype: BaseDtype,
    onProgress?: (progress: DownloadProgress) => void,
  ): Promise<BaseFolder> {
    return BaseFolder.at(await resolveModel(model, { onProgress }), model, baseDtype);
  }

  /** Opens the base model again in another thread. */
  static async at(folder: string, model: string, baseDtype: BaseDtype): Promise<BaseFolder> {
    return new BaseFolder(folder, model, await readFolder(folder), baseDtype);
  }

  /** Whether an adapter names this model as its base. Folders are compared by name. */
  isCalled(name: string): boolean {
    if (existsSync(name) && realpathSync(name) === this.folder) return true;
    return modelName(name) === this.name;
  }

  /** How rows of its inputs are batched. */
  get batches(): BatchForm {
    const { modality, family } = this.described;
    return modality(family.config).batches;
  }

  /** The size of its weight files. */
  get bytes(): number {
    return weightFiles(this.folder).reduce((sum, file) => sum + statSync(file).size, 0);
  }

  /** A hash that identifies the weights. */
  get digest(): string {
    this.#digest ??= weightsDigest(weightFiles(this.folder).map(digestOf));
    return this.#digest;
  }

  /** The model with its own weights, for adapters. Adapters with the same head and config share it. */
  model(model: TaskModel): LoadedModel {
    const key = JSON.stringify([model.headKind, model.config]);
    const known = this.#models.get(key) ?? openWeights(this.folder, model);
    this.#models.set(key, known);
    return known;
  }

  async open({ headKind, definition, config }: TaskModel, outputs: number): Promise<LoadedModel> {
    const model = openWeights(this.folder, plainModel(headKind, outputs)(definition, config));
    return withBaseDtype(model, this.baseDtype);
  }

  engine(model: LoadedModel): Engine {
    return nodeEngine(model, 'cpu');
  }

  /** A trained model under a name, to make examples and to choose settings. It does not compute anything. */
  trained(name: string, { notes, model }: Loaded, virtualTokens?: TokensBefore): TrainedModel {
    const tuned = { ...FROZEN, tuner: { ...FROZEN.tuner, virtualTokens } };
    const engine = this.engine(model);
    return new TrainedModel(
      trainedParts({ base: this.described, model, notes, ...tuned }, undefined, { path: name, engine }),
    );
  }

  close(): void {
    for (const model of this.#models.values()) model.close();
    this.#models.clear();
  }
}

/** The name in `owner/name@revision` or `folder/name/`. */
function modelName(model: string): string {
  return basename(model).replace(/@[^@]*$/, '');
}
