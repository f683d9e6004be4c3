import { nearest } from '../support/nearest.ts';
import { UserError } from '../support/user-error.ts';
import { excerptName } from './excerpt.ts';

/**
 * Maximum length of compared names. The comparison's time grows with the product of the lengths, and longer names
 * are no misspellings.
 */
const MAX_NAME_LENGTH = 200;
/** Maximum number of compared names. The largest models have some thousand names in a file. */
const MAX_COMPARED = 10_000;

/** The UserError for a tensor that is not in `where`, with the nearest `known` names. */
export function unknownTensor(name: string, known: string[], where: string): UserError {
  const compared = known.slice(0, MAX_COMPARED).filter(({ length }) => length <= MAX_NAME_LENGTH);
  const near = name.length <= MAX_NAME_LENGTH ? nearest(name, compared) : [];
  const hint = near.length > 0 ? `Did you mean ${near.map(excerptName).join(', ')}?` : undefined;
  return new UserError({
    where,
    fault: `has no tensor ${excerptName(name)} among its ${known.length}`,
    hint,
  });
}
