import type { TokensBefore } from '../../methods/tuners/tuner.ts';
import { FROZEN } from '../../methods/tuners/tuner.ts';
import type { BaseDtype } from '../../program/bases/base-dtype.ts';
import type { Engine } from '../../program/engine.ts';
import type { BatchForm } from '../../program/modalities/modality.ts';
import { plainModel } from '../../program/objectives/plain-model.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
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

/** A base model with its files. All adapters share its weights and what its inputs need. */
export abstract class BaseModel {
  readonly #models = new Map<string, LoadedModel>();

  /** The last part of its path or id. */
  abstract readonly name: string;
  /** The size of its weight files. */
  abstract readonly bytes: number;
  /** A hash that identifies the weights. */
  abstract readonly digest: string;

  constructor(
    readonly folder: string,
    readonly described: DescribedModel,
    readonly baseDtype: BaseDtype,
  ) {}

  /** Whether an adapter names this model as its base. */
  abstract isCalled(name: string): boolean;
  /** Opens its weights for a model. They are exact. */
  protected abstract openWeights(model: TaskModel): LoadedModel;
  /** Returns the model with its frozen weights in the type of the base. */
  protected abstract withDtype(model: LoadedModel): Promise<LoadedModel>;
  abstract engine(model: LoadedModel): Engine;

  /** How rows of its inputs are batched. */
  get batches(): BatchForm {
    const { modality, family } = this.described;
    return modality(family.config).batches;
  }

  /** The model with its own weights, for adapters. Adapters with the same head and config share it. */
  model(model: TaskModel): LoadedModel {
    const key = JSON.stringify([model.headKind, model.config]);
    const known = this.#models.get(key) ?? this.openWeights(model);
    this.#models.set(key, known);
    return known;
  }

  /** Opens it with the head and the config of a model, for this many outputs. */
  async open({ headKind, definition, config }: TaskModel, outputs: number): Promise<LoadedModel> {
    return this.withDtype(this.openWeights(plainModel(headKind, outputs)(definition, config)));
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
