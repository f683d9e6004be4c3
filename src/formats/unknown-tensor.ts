import { nearest } from '../support/nearest.ts';
import { UserError } from '../support/user-error.ts';

/** The UserError for a tensor that is not in `where`, with the nearest of the `known` names. */
export function unknownTensor(name: string, known: string[], where: string): UserError {
  const near = nearest(name, known);
  const hint = near.length > 0 ? `Did you mean ${near.join(', ')}?` : undefined;
  return new UserError({
    where,
    expected: `a tensor ${name}`,
    got: `${known.length} tensors, none of that name`,
    hint,
  });
}
