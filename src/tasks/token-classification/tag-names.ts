import { InvalidData } from '../../support/user-error.ts';
import { buildLabels } from '../classes/labels.ts';
import type { TaggedSentence } from './tagged-sentence.ts';

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
