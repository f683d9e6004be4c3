/** Where the golden cases are, beside the repository. */
export const GOLDEN = '../shared/conformance';

/** How many of them there are at least, by kind: a folder that has lost some shows nothing. */
const LEAST = { models: 15, trajectories: 4 };

/**
 * What is missing among the golden cases that were compared, a sentence a kind.
 *
 * @param names of cases, like `models/bert-classification`; skipped ones are not among them
 */
export function missingCases(names: readonly string[]): string[] {
  return Object.entries(LEAST).flatMap(([kind, least]) => {
    const count = names.filter((name) => name.startsWith(`${kind}/`)).length;
    return count < least ? [`${GOLDEN}/${kind}: expected at least ${least} cases, compared ${count}`] : [];
  });
}
