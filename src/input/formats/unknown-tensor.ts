import { nearest } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import { excerptName } from './excerpt.ts';

/**
 * Maximum length of names that are compared. The time of a comparison grows with the product of both lengths,
 * and longer names are not misspellings.
 */
const MAX_NAME_LENGTH = 200;
/** Maximum number of names that are compared. The largest models have some thousand names in a file. */
const MAX_COMPARED = 10_000;

/** The UserError for a tensor that does not exist in `where`. It suggests similar names. */
export function unknownTensor(name: string, known: string[], where: string): UserError {
  const compared = known.slice(0, MAX_COMPARED).filter(({ length }) => length <= MAX_NAME_LENGTH);
  const near = name.length <= MAX_NAME_LENGTH ? nearest(name, compared) : [];
  const hint = near.length > 0 ? `Did you mean ${near.map(excerptName).join(', ')}?` : undefined;
  return new UserError({
    where,
    fault: `has no tensor ${excerptName(name)} (it has ${known.length} tensors)`,
    hint,
  });
}
