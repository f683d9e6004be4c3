import type { Tensors } from '../../engine/runtime/session.ts';
import type { DataOptions } from '../../input/data/rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import type { FileContent } from '../../input/media/medium.ts';
import type { InputSet } from './input-set.ts';

/** A part of an example: a text, or the name of a file and its content. */
export interface Part {
  text: string;
  content?: FileContent | undefined;
}

/** A part, or a pair of texts. */
export interface PartRow extends Part {
  textPair?: string | undefined;
}

/** One row of a batch without padding. */
export interface RowInputs {
  /** Its number of tokens, by which its cost is estimated. */
  readonly length: number;
}

/** How batches are taken apart and joined, so that rows of several requests can share one. */
export interface BatchForm<Row extends RowInputs = RowInputs> {
  rowsOf(feeds: Tensors): Row[];
  joined(rows: readonly Row[]): Tensors;
}

/** Rows as a model reads them. */
export interface EncodedRows {
  /** Number of tokens of each row. Rows of similar length share a batch. */
  readonly lengths: Int32Array;
  /** Number of rows that were truncated. */
  readonly truncated: number;
  /** The model's inputs for some rows. `batch` numbers the batches of a run. */
  feeds(rows: readonly number[], batch: number): Tensors;
}

export interface EncodingOptions {
  /** Changes the rows of each batch at random with this seed, if the modality can. */
  augment?: number | undefined;
}

/**
 * The kind of a model's rows, with everything that its inputs need besides the weights. `Texts` and `Contents` implement it.
 * Layers above read rows only through it, so they work for both.
 *
 * @typeParam Item what is encoded once, however often it occurs
 */
export interface Modality<Item = unknown> {
  /** The name of the medium, or `text`. */
  readonly reads: string;
  /** Maximum number of tokens of an example. */
  readonly maxLength: number;
  /** Number of tokens of every example, if all have the same. */
  readonly tokens?: number;
  readonly batches: BatchForm;

  /**
   * Reads what the rows of files name.
   *
   * @param columns the columns with what the model reads; by default the medium's
   * @param layout how rows are read
   * @throws UserError for files of another modality
   */
  withContent<File extends TextFile>(
    files: readonly File[],
    columns: readonly (string | number)[],
    layout: Partial<DataOptions>,
  ): Promise<readonly File[]>;
  /**
   * Reads what the inputs of a prediction name.
   *
   * @param most maximum size of a file, for a request
   * @throws UserError for an input that cannot be read
   */
  readInputs(inputs: readonly unknown[], most?: number): Promise<readonly unknown[]>;
  /** @param prompt put before a text */
  item(part: Part, prompt?: string): Item;
  /** Distinct items, each encoded once. */
  set(items: Iterable<Item>): InputSet<Item>;
  /** Rows, each a separate example. */
  rows(rows: readonly PartRow[], options?: EncodingOptions): EncodedRows;
  /** The modality at a time, because a chat template may write the date. */
  at(now: Date | undefined): Modality<Item>;
  /**
   * Checks inputs of a request.
   *
   * @throws UserError for an input that would be truncated
   */
  checkLengths(inputs: readonly { text: string; pair?: string }[]): void;
}
