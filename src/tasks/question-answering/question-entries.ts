import { type JsonObject, own, typeName } from '../../data/json-lines.ts';
import type { RowProblem } from '../../data/row-problems.ts';

/** A question as a file has it, not yet checked: what stands at the keys. */
export interface QuestionEntry {
  question: JsonObject;
  /** Where the context stands: the paragraph, or the same row. */
  paragraph: JsonObject;
}

/** What belongs at a place, and what is there instead. */
export type Misplaced = (place: string, problem: RowProblem) => void;

/**
 * The questions of a JSON value: articles with `paragraphs` as SQuAD is published, paragraphs with `qas`, or rows with a
 * `question` each as on the Hub, in any list.
 *
 * @param where the list's path in the file, for what is wrong
 */
export function* questionEntries(
  items: unknown,
  where: string,
  misplaced: Misplaced,
): Iterable<QuestionEntry> {
  if (!Array.isArray(items)) {
    misplaced(where, { expected: 'a list', got: typeName(items) });
    return;
  }
  for (const [i, item] of items.entries()) {
    const place = `${where}[${i}]`;
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      misplaced(place, { expected: 'a JSON object', got: typeName(item) });
    } else if (Object.hasOwn(item, 'paragraphs')) {
      yield* questionEntries(item.paragraphs, `${place}.paragraphs`, misplaced);
    } else if (Object.hasOwn(item, 'qas')) {
      for (const { question } of questionEntries(own(item, 'qas'), `${place}.qas`, misplaced))
        yield { question, paragraph: item };
    } else yield { question: item, paragraph: item };
  }
}
