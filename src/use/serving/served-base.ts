import { type DownloadProgress, weightsDigest } from '../../input/formats/byte-source.ts';
import { weightFiles } from '../../input/formats/open-checkpoint.ts';
import { FROZEN } from '../../methods/tuners/tuner.ts';
import type { BaseDtype } from '../../program/bases/base-dtype.ts';
import { withBaseDtype } from '../../program/bases/with-base-dtype.ts';
import type { Engine } from '../../program/engine.ts';
import type { ModelMachine } from '../../program/machine.ts';
import type { BatchForm } from '../../program/modalities/modality.ts';
import { plainModel } from '../../program/objectives/plain-model.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { addUp } from '../../support/numbers.ts';
import { lazy } from '../../support/options.ts';
import { lastPart } from '../../support/text.ts';
import type { ModelFolders } from '../trained/model-folders.ts';
import type { Notes } from '../trained/notes.ts';
import type { DescribedModel } from '../trained/read-model.ts';
import { TrainedModel } from '../trained/trained-model.ts';
import { trainedParts } from '../trained/trained-parts.ts';

/** The parts of a {@link BaseModel} that banks and decoding use. */
export type ServedBase = Pick<BaseModel, 'open' | 'engine'>;

/** A model for a task, with its weights. */
interface Loaded {
  notes: Notes | undefined;
  model: LoadedModel;
}

/** A base model in a folder. All adapters share its weights and what its inputs need. */
export class BaseModel {
  /** The last part of its path or id. */
  readonly name: string;
  readonly machine: ModelMachine;
  readonly #models = new Map<string, LoadedModel>();
  readonly #digest = lazy(() => weightsDigest(this.#weights.map(this.machine.disk.digest)));

  /** @param folder its real path */
  private constructor(
    readonly folders: ModelFolders,
    model: string,
    readonly folder: string,
    readonly described: DescribedModel,
    readonly baseDtype: BaseDtype,
  ) {
    this.machine = folders.machine;
    this.name = modelName(model);
  }

  /**
   * @param model a folder, or an id on the Hub
   * @throws UserError if it is missing or damaged
   */
  static async open(
    folders: ModelFolders,
    model: string,
    baseDtype: BaseDtype,
    onProgress?: (progress: DownloadProgress) => void,
  ): Promise<BaseModel> {
    const folder = await folders.machine.hub.resolveModel(model, { onProgress });
    return BaseModel.at(folders, folder, model, baseDtype);
  }

  /** Opens the base model again in another thread. */
  static async at(
    folders: ModelFolders,
    folder: string,
    model: string,
    baseDtype: BaseDtype,
  ): Promise<BaseModel> {
    return new BaseModel(folders, model, folder, await folders.read(folder), baseDtype);
  }

  /** Whether an adapter names this model as its base. Folders are compared by name. */
  isCalled(name: string): boolean {
    const { disk } = this.machine;
    return (disk.has(name) && disk.realPath(name) === this.folder) || modelName(name) === this.name;
  }

  get #weights(): string[] {
    return weightFiles(this.machine.disk, this.folder);
  }

  /** The size of its weight files. */
  get bytes(): number {
    return addUp(this.#weights, (file) => this.machine.disk.stat(file)?.size ?? 0);
  }

  /** A hash that identifies the weights. */
  get digest(): string {
    return this.#digest();
  }

  engine(model: LoadedModel): Engine {
    return this.machine.engine(model, 'cpu');
  }

  /** How rows of its inputs are batched. */
  get batches(): BatchForm {
    const { modality, family } = this.described;
    return modality(family.config).batches;
  }

  /** The model with its own weights, for adapters. Adapters with the same head and config share it. */
  model(model: TaskModel): LoadedModel {
    const key = JSON.stringify([model.headKind, model.config]);
    const known = this.#models.get(key) ?? this.folders.openWeights(this.folder, model);
    this.#models.set(key, known);
    return known;
  }

  /** Opens it with the head and the config of a model, for this many outputs. */
  async open({ headKind, definition, config }: TaskModel, outputs: number): Promise<LoadedModel> {
    const exact = this.folders.openWeights(this.folder, plainModel(headKind, outputs)(definition, config));
    return withBaseDtype(this.machine, exact, this.baseDtype);
  }

  /** A trained model under a name, to make examples and to choose settings. It does not compute anything. */
  trained(name: string, { notes, model }: Loaded): TrainedModel {
    const engine = this.engine(model);
    return new TrainedModel(
      trainedParts({ base: this.described, model, notes, ...FROZEN }, undefined, { path: name, engine }),
    );
  }

  close(): void {
    for (const model of this.#models.values()) model.close();
    this.#models.clear();
  }
}

/** Opens a session with a model. The model is closed when the session is released, or at once if opening fails. */
export async function closing<Made extends { release(): Promise<void> }>(
  model: LoadedModel,
  open: () => Promise<Made>,
): Promise<Made> {
  const made = await open().catch((error: unknown) => {
    model.close();
    throw error;
  });
  const release = made.release.bind(made);
  made.release = () => release().finally(() => model.close());
  return made;
}

/** The name in `owner/name@revision` or `folder/name/`. */
function modelName(model: string): string {
  return lastPart(model).replace(/@[^@]*$/, '');
}
