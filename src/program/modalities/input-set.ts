import type { HostTensor, Tensors } from '../../engine/runtime/session.ts';
import { largest } from '../../support/numbers.ts';
import { type ExampleSet, someExamples } from '../example-set.ts';
import { columnInput } from '../objectives/embedding-model.ts';
import { predictRows } from '../predict-batches.ts';
import type { Predictor } from '../program.ts';

/** Distinct inputs of a model: texts or pictures. Each is encoded once. */
export abstract class InputSet<Item = unknown> {
  /** The cost of each input in tokens. Inputs of similar cost share a batch. */
  abstract readonly lengths: Int32Array;
  /** Number of inputs that were truncated. */
  abstract readonly truncated: number;
  /** The number of an item in the set. */
  abstract numberOf(item: Item): number;
  /** The model's inputs for some of the set, by their numbers. */
  abstract feeds(numbers: readonly number[]): Tensors;

  /** All inputs as separate examples. */
  examples(): ExampleSet {
    const { lengths, truncated } = this;
    return {
      lengths,
      truncated,
      batch: (examples) => ({ feeds: this.feeds([...examples]), weight: examples.length }),
    };
  }

  /**
   * Examples with an input in every column. An input that is repeated in a batch is computed once.
   *
   * @param columns for each column, the numbers of its inputs, row by row
   * @param others returns the other inputs of some examples, and their weight; by default their number
   * @param chunk number of inputs to compute at a time; by default all of a batch
   */
  rows(
    columns: readonly Int32Array[],
    others: (examples: Int32Array) => { feeds: Tensors; weight?: number },
    chunk = Number.POSITIVE_INFINITY,
  ): ExampleSet {
    const lengthOf = (number: number) => this.lengths[number]!;
    return {
      lengths: columns[0]!.map((_, row) => largest(columns.map((column) => lengthOf(column[row]!)))),
      truncated: this.truncated,
      batch: (examples) => {
        const used = [...new Set(columns.flatMap((column) => Array.from(examples, (row) => column[row]!)))];
        // Sorted, so that inputs that are computed together have similar lengths.
        used.sort((a, b) => lengthOf(a) - lengthOf(b));
        const places = new Map(used.map((number, place) => [number, place]));
        const placesOf = (column: Int32Array): HostTensor => ({
          data: Int32Array.from(examples, (row) => places.get(column[row]!) as number),
          dims: [examples.length],
        });
        const inputs = columns.map((column, i) => [columnInput(i), placesOf(column)] as const);
        const { feeds, weight = examples.length } = others(examples);
        return {
          feeds: { ...this.feeds(used), ...Object.fromEntries(inputs), ...feeds },
          weight,
          chunk: chunk < used.length ? chunk : undefined,
        };
      },
    };
  }

  /**
   * Computes the vectors of some inputs, in their order.
   *
   * @param numbers numbers of the inputs; by default all
   * @throws NotFinite if a value is not finite
   */
  vectors(
    program: Predictor,
    values: Float32Array,
    batchSize: number,
    numbers: readonly number[] = [...this.lengths.keys()],
  ): Promise<Float32Array[]> {
    const set = someExamples(this.examples(), Int32Array.from(numbers));
    return predictRows(program, values, set, batchSize);
  }
}
