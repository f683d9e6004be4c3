import type { Value } from '../../graph/graph.ts';
import type { Injection } from '../../nn/network.ts';

/** The tensors of an adapter at one place of the network. */
export interface BankedPiece {
  /** The room that it needs: its rank, or its number of outputs. Smaller pieces are padded with zeros. */
  size: number;
  tensors: Readonly<Record<string, Float32Array>>;
}

/** Pieces by the paths of modules or sublayers. */
export type BankedPieces = ReadonlyMap<string, BankedPiece>;

/** Reads tensors from the slots that the examples of a batch name. */
export interface BankReader {
  /**
   * A tensor of each example's slot, [batch, ...shape]. Equal names are one tensor.
   *
   * @param write writes an adapter's numbers into the slot's memory, which is zero
   */
  read(
    name: string,
    shape: readonly number[],
    write: (pieces: BankedPieces, slot: Float32Array) => void,
  ): Value;
  /** A parameter of the base model; undefined if it has none of that name. */
  base(name: string): Float32Array | undefined;
}

/**
 * What adapters change in a network if each example of a batch reads its own from a slot. It stands beside the
 * method's own injection and shares its formulas. A slot of zeros, or one without a piece, must change nothing.
 */
export interface BankForm {
  /** Equal for forms with the same computation. */
  readonly key: string;
  /**
   * @param rooms the largest size at each path
   * @throws NotMixed (while the network is built) for a module whose adapters cannot differ from row to row
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
  /** Parameters of the model that are fully trained. */
  saved: readonly string[];
}
