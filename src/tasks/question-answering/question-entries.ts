import { type JsonObject, ownValue, typeName } from '../../input/data/json-lines.ts';
import type { RowProblem } from '../../input/data/rows.ts';

/** A question in a file, as unchecked values by key. */
export interface QuestionEntry {
  question: JsonObject;
  /** The object with the context: the paragraph, or the question's own row. */
  paragraph: JsonObject;
}

/** Reports an unexpected value at a place in the file. */
export type Misplaced = (place: string, problem: RowProblem) => void;

/**
 * Finds the questions in a JSON value. It may be a list of articles with `paragraphs` (SQuAD), of paragraphs with
 * `qas`, or of rows with one `question` each (the Hub).
 *
 * @param where the list's path in the file, for messages
 */
export function* questionEntries(
  items: unknown,
  where: string,
  misplaced: Misplaced,
): Iterable<QuestionEntry> {
  if (!Array.isArray(items)) {
    misplaced(where, { kind: 'list', fault: `must be a list, got ${typeName(items)}` });
    return;
  }
  for (const [i, item] of items.entries()) {
    const place = `${where}[${i}]`;
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      misplaced(place, { kind: 'object', fault: `must be a JSON object, got ${typeName(item)}` });
    } else if (Object.hasOwn(item, 'paragraphs')) {
      yield* questionEntries(item.paragraphs, `${place}.paragraphs`, misplaced);
    } else if (Object.hasOwn(item, 'qas')) {
      for (const { question } of questionEntries(ownValue(item, 'qas'), `${place}.qas`, misplaced))
        yield { question, paragraph: item };
    } else yield { question: item, paragraph: item };
  }
}
