import { ComputationError } from '../support/computation-error.ts';

/** What a model gave for an example is not finite. */
export class NotFinite extends ComputationError {
  /** From 0, of the examples that were given. */
  readonly example: number;

  constructor(example: number) {
    super(
      `row ${example + 1}: expected logits that are finite, got others (NaN or infinite). ` +
        'The weights of the model or the adapter have such values, or so large ones that the products overflow.',
    );
    this.example = example;
  }
}

/**
 * @param logits what was computed of each example, in their order
 * @throws NotFinite naming the first example with a value that is none
 */
export function checkFinite(logits: Iterable<ArrayLike<number>>): void {
  let example = 0;
  for (const values of logits) {
    for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) throw new NotFinite(example);
    example++;
  }
}
