import { reshape, transpose } from '../../../engine/graph/build.ts';
import {
  type Dimension,
  divideDimension,
  multiplyDimensions,
  symbol,
} from '../../../engine/graph/dimension.ts';
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
   * @param sizes the largest size at each path
   * @throws NotMixed (while the network is built) for modules with adapters that cannot differ between rows
   */
  inject(
    reader: BankReader,
    sizes: ReadonlyMap<string, number>,
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

/** The number of examples. */
export const BATCH = symbol('batch');

/**
 * The number of tokens of each example, from sequence-major rows [tokens · batch, width]. Undefined if all examples
 * share the rows.
 */
export function findTokens(x: Value): Dimension | undefined {
  return divideDimension(x.shape[0]!, 'batch');
}

/**
 * Reshapes sequence-major rows [tokens · batch, width] to [batch, tokens, width]. Rows that all examples share become
 * [1, tokens, width].
 */
export function separateExamples(x: Value): Value {
  const tokens = findTokens(x);
  if (tokens === undefined) return reshape(x, [1, x.shape[0]!, x.shape[1]!]);
  return tokens === 1
    ? reshape(x, [BATCH, 1, x.shape[1]!])
    : transpose(reshape(x, [tokens, BATCH, x.shape[1]!]), [1, 0, 2]);
}

/** Reshapes [batch, tokens, width] to sequence-major rows. */
export function asRows(y: Value): Value {
  const [batch, tokens, width] = y.shape as [Dimension, Dimension, Dimension];
  const turned = tokens === 1 ? y : transpose(y, [1, 0, 2]);
  return reshape(turned, [multiplyDimensions(tokens, batch), width]);
}

/** Reshapes sequence-major rows to [tokens, batch, width], or [tokens, 1, width] if all examples share them. */
export function byToken(y: Value): Value {
  const [rows, width] = y.shape as [Dimension, Dimension];
  const tokens = findTokens(y);
  return reshape(y, tokens === undefined ? [rows, 1, width] : [tokens, BATCH, width]);
}

/** Reshapes [tokens, batch, width] to sequence-major rows. */
export function tokenRows(y: Value): Value {
  const [tokens, batch, width] = y.shape as [Dimension, Dimension, Dimension];
  return reshape(y, [multiplyDimensions(tokens, batch), width]);
}
