import { ComputationError } from '../support/user-error.ts';

/** Thrown if the model's output for an example is not finite. */
export class NotFinite extends ComputationError {
  /** Index of the example, from 0. */
  readonly example: number;

  /** @param cause what is wrong, if it is known */
  constructor(
    example: number,
    cause = 'The weights of the model or the adapter are not finite, or so large that products overflow.',
  ) {
    super(`Row ${example + 1} has logits that are not finite (NaN or infinite). ${cause}`);
    this.example = example;
  }
}

/**
 * @param logits the outputs of the examples, in order
 * @throws NotFinite that names the first example with a value that is not finite
 */
export function checkFinite(logits: Iterable<ArrayLike<number>>): void {
  let example = 0;
  for (const values of logits) {
    for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) throw new NotFinite(example);
    example++;
  }
}
