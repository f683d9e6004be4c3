import { UserError } from '../../support/user-error.ts';
import type { TunableModel } from '../tuner.ts';

/** The keys and values of a decoder's layers. */
export interface PrefixShape {
  /** Their names in the order of PEFT's file: the keys of a layer, then its values. */
  names: readonly string[];
  /** Features of the keys of a layer. */
  width: number;
  heads: number;
}

/**
 * The shape of a prefix for a decoder.
 *
 * @throws UserError if its layers differ in the size of their keys
 */
export function prefixShape({ states, definition }: TunableModel): PrefixShape {
  const [first] = states.values();
  const { width, headSize } = first!;
  if ([...states.values()].every((other) => other.width === width))
    return { names: [...states.keys()], width, heads: width / headSize };
  throw new UserError({
    where: `a model of type ${definition.modelType}`,
    fault: 'has keys of several sizes, which no prefix fits',
  });
}
