import {
  type AdapterTensor,
  type AdapterTensors,
  type StoredAdapter,
  savedTensor,
} from '../../input/formats/adapters/stored-adapter.ts';
import type { TunableModel, TunedValues } from './tuner.ts';

/** The number of outputs of the head stored with an adapter. Undefined if it has no head. */
export function headOutputs({ head, parameters }: TunableModel, tensors: AdapterTensors): number | undefined {
  const inHead = [...parameters.keys()].filter((name) =>
    head.modules.some((module) => name.startsWith(`${module}.`)),
  );
  // Parameters are listed in the order of computation, so the last layer produces the logits.
  const last = inHead.at(-1)?.replace(/\.[^.]*$/, '');
  const ofLast = inHead.filter((name) => name.startsWith(`${last}.`));
  return ofLast.flatMap((name) => savedTensor(tensors, name) ?? []).at(0)?.shape[0];
}

/** Facts that are known from an adapter's files alone, without the model. */
export interface AdapterSummary {
  /** Rank of each adapted module. Empty for adapters without ranks. */
  ranks: Record<string, number>;
  /** Rank of each module before any component was dropped. */
  initialRank?: number;
  /** Settings to display, by key. */
  settings: Record<string, unknown>;
  /** Whether a tensor of the file belongs to the adapter itself and not to a module that is saved in full. */
  isOwn(key: string): boolean;
}

/** An adapter as products of matrices, for formats that hold nothing else. */
export interface Increments {
  /** For each module, B [out, rank] and A [rank, in]: its weight increases by B A. */
  modules: ReadonlyMap<string, { A: AdapterTensor; B: AdapterTensor }>;
  /** Something else that the adapter has, such as a trained bias. Undefined if it has nothing else. */
  more: string | undefined;
}

/** A kind of adapter file. Several methods may write the same kind. */
export interface AdapterKind {
  /** Its name in files and messages, such as `LORA`. */
  readonly name: string;
  /** Whether an adapter is of this kind. */
  reads(stored: StoredAdapter): boolean;
  /**
   * Puts an adapter on a model.
   *
   * @param where the adapter's name for messages
   * @throws UserError that names missing tensors, and tensors that fit no module or have the wrong shape
   */
  import(model: TunableModel, stored: StoredAdapter, where: string): TunedValues;
  /**
   * Reads the facts of a stored adapter.
   *
   * @throws UserError for invalid or unsupported settings
   */
  facts(stored: StoredAdapter, where: string): AdapterSummary;
  /** Conversions to equivalent forms, by name. */
  readonly exports?: Readonly<Record<string, (stored: StoredAdapter, where: string) => StoredAdapter>>;
  /** The adapter as its increments. Missing for other changes of the model. */
  increments?(stored: StoredAdapter, where: string): Increments;
  /** Why the adapter cannot be merged into the base model. Missing if it can. */
  readonly unmergeable?: string;
}
