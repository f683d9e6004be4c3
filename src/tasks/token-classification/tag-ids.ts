import { suggest } from '../../support/text.ts';
import { InvalidData } from '../../support/user-error.ts';
import { buildLabels, withIds } from '../classes/labels.ts';
import { findLine, type TaggedSentence } from './conll-sentences.ts';

/**
 * The tags of training sentences, in the order of a head's outputs. If the checkpoint has all of them, the order is the
 * checkpoint's, else that of `label_names`. Without either, they are sorted by code point, as in transformers'
 * run_ner.py (`B-LOC`, …, `I-PER`, `O`).
 *
 * @param known the `id2label` of the checkpoint's config.json
 * @throws UserError if there are fewer than two
 */
export function tagNames(
  sentences: readonly TaggedSentence[],
  label_names: readonly string[] | undefined,
  fileName: string,
  known?: Readonly<Record<string, string>>,
): readonly string[] {
  const seen = new Set(label_names);
  if (!label_names) for (const { tags } of sentences) for (const tag of tags) seen.add(tag);
  if (seen.size < 2) {
    throw new InvalidData({
      where: fileName,
      fault: `needs at least 2 different tags, got ${seen.size === 0 ? 'none' : `only "${[...seen][0]}"`}`,
    });
  }
  const names = buildLabels([{ label: [...seen] }], 2, fileName, known);
  const isCheckpoints = names.every((name, id) => known?.[id] === name);
  return label_names && !isCheckpoints ? [...seen] : names;
}

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
  const problem = (tag: string) => ({
    kind: 'tag',
    fault: `has the tag "${tag}", which was not seen in training`,
  });
  const hintFor = (tag: string) =>
    `${suggest(tag, names)} Tags that are too rare for the training data may be named in data.label_names.`;
  return withIds(names, fileName, problem, hintFor, (id) =>
    sentences.map((sentence) =>
      Int32Array.from(sentence.tags, (tag, word) => id(tag, findLine(sentence, word))),
    ),
  );
}
