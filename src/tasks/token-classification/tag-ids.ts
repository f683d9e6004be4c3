import { RowProblems } from '../../input/data/rows.ts';
import { suggest } from '../../support/text.ts';
import { lineOf, type TaggedSentence } from './tagged-sentence.ts';

/**
 * The tags of each sentence as indices in `names`.
 *
 * @throws UserError with file and line for unknown tags
 */
export function tagIds(
  sentences: readonly TaggedSentence[],
  names: readonly string[],
  fileName: string,
): Int32Array[] {
  const problems = new RowProblems(fileName);
  const ids = new Map(names.map((name, id) => [name, id]));
  let hint: string | undefined; // The hint for the first such tag. Only that tag is reported in full.
  const found = sentences.map((sentence) =>
    Int32Array.from(sentence.tags, (tag, word) => {
      const id = ids.get(tag);
      if (id !== undefined) return id;
      hint ??= `${suggest(tag, names)} Tags that are too rare for the training data may be named in data.label_names.`;
      problems.add(lineOf(sentence, word), {
        kind: 'tag',
        fault: `has the tag "${tag}", which was not seen in training`,
        hint,
        code: 'unknown_label',
      });
      return 0;
    }),
  );
  problems.throwIfAny();
  return found;
}
