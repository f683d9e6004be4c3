import type { HostTensor, Tensors } from '../../engine/runtime/session.ts';
import { largest } from '../../support/numbers.ts';
import { type ExampleSet, someExamples } from '../example-set.ts';
import { arrangeColumns, columnInput } from '../objectives/embedding-model.ts';
import { predictRows } from '../predict-batches.ts';
import type { Predictor } from '../program.ts';

/** Distinct inputs of a model: texts or files. Each is encoded once. */
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
   * Examples that are groups of inputs, such as a query with its answer and any number of wrong ones. An input that is
   * repeated in a batch is computed once.
   *
   * @param groups for each example, the numbers of its inputs
   * @param others returns the other inputs of some examples, and their weight; by default their number
   * @param chunk number of inputs to compute at a time; by default all of a batch
   * @param arrange arranges the inputs of groups in the columns that the loss reads
   */
  groups(
    groups: readonly (readonly number[])[],
    others: (examples: Int32Array) => { feeds: Tensors; weight?: number },
    { chunk = Number.POSITIVE_INFINITY, arrange = arrangeColumns } = {},
  ): ExampleSet {
    const lengthOf = (number: number) => this.lengths[number]!;
    return {
      lengths: Int32Array.from(groups, (group) => largest(group.map(lengthOf))),
      truncated: this.truncated,
      batch: (examples) => {
        const ofBatch = Array.from(examples, (example) => groups[example]!);
        const used = [...new Set(ofBatch.flat())];
        // Sorted, so that inputs that are computed together have similar lengths.
        used.sort((a, b) => lengthOf(a) - lengthOf(b));
        const places = new Map(used.map((number, place) => [number, place]));
        const inputs = arrange(ofBatch).map((column, i): [string, HostTensor] => [
          columnInput(i),
          { data: Int32Array.from(column, (number) => places.get(number)!), dims: [column.length] },
        ]);
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
