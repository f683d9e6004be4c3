import type { Value } from '../../../engine/graph/graph.ts';
import type { Injection } from '../../../models/nn/network.ts';
import { UserError } from '../../../support/user-error.ts';
import type { TrainedParameter } from '../parameter-layout.ts';

/** An adapter that cannot share batches with others. It can be used in a session of its own. */
export class NotMixed extends UserError {
  override name = 'NotMixed';

  /**
   * @param where the adapter, or the module of the network
   * @param reason completes the sentence about it
   */
  constructor(where: string, reason: string) {
    super({ where, fault: `${reason}, so it cannot share batches with other adapters` });
  }
}

/** A module or norm that is computed once for all examples. */
export function sharedByAll(path: string): NotMixed {
  return new NotMixed(path, 'is computed once for all texts of a batch');
}

/** The tensors of an adapter at one place of the network. */
export interface BankedPiece {
  /** Size of the piece: its rank, or its number of outputs. Pieces smaller than their slot are padded with zeros. */
  size: number;
  tensors: Readonly<Record<string, Float32Array>>;
}

/** Pieces, by the path of a module or sublayer. */
export type BankedPieces = ReadonlyMap<string, BankedPiece>;

/** Reads tensors from the slots that the examples of a batch name. */
export interface BankReader {
  /**
   * Returns a tensor of each example's slot, [batch, ...shape]. Equal names are one tensor.
   *
   * @param write writes an adapter's numbers to the slot's memory, which is zero before
   */
  read(
    name: string,
    shape: readonly number[],
    write: (pieces: BankedPieces, slot: Float32Array) => void,
  ): Value;
  /** Returns a parameter of the base model; undefined if it has no parameter of this name. */
  base(name: string): Float32Array | undefined;
}

/**
 * The changes of adapters to a network if each example of a batch reads its own from a slot. It stands beside the
 * method's own injection and shares its formulas. A slot of zeros, or one without a piece, must change nothing.
 */
export interface BankForm {
  /** A key that is equal for forms with the same computation. */
  readonly key: string;
  /**
   * @param rooms the largest size at each path
   * @throws NotMixed (while the network is built) for modules with adapters that cannot differ between rows
   */
  inject(
    reader: BankReader,
    rooms: ReadonlyMap<string, number>,
  ): Partial<Pick<Injection, 'increments' | 'linear' | 'input' | 'output' | 'sublayer'>>;
}

/** The pieces of an adapter that have one form. */
export interface BankedPart {
  form: BankForm;
  pieces: BankedPieces;
}

/** A method's trained values for batches in which every row has its own adapter. */
export interface Banked {
  parts: readonly BankedPart[];
  /** Names of the model's parameters that are trained in full. */
  saved: readonly Pick<TrainedParameter, 'name'>[];
}
