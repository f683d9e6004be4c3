import { type JsonObject, ownValue, typeName } from '../../input/data/json-lines.ts';
import type { RowProblem } from '../../input/data/rows.ts';
import { listNames } from '../../support/text.ts';

/** An answer in a file. */
export interface RawAnswer {
  text: string;
  /** `answer_start`, if present. */
  start?: number;
}

/**
 * Reads the answers of a question: a list of `{text, answer_start}` as in SQuAD, `{text: [], answer_start: []}` as on
 * the Hub, or one text under `answer`. Returns a problem if they have another form.
 */
export function readAnswers(question: JsonObject): RawAnswer[] | RowProblem {
  const answers = ownValue(question, 'answers');
  const answer = ownValue(question, 'answer');
  if (answers === undefined && typeof answer === 'string') return [{ text: answer }];
  if (answers === undefined && ownValue(question, 'is_impossible') === true) return [];
  if (answers === undefined) {
    return { kind: 'answers', fault: `has no "answers", only ${listNames(Object.keys(question))}` };
  }
  if (Array.isArray(answers)) return listed(answers);
  if (typeof answers !== 'object' || answers === null)
    return { needs: '"answers" with "text" and "answer_start"', got: typeName(answers) };
  const texts = ownValue(answers as JsonObject, 'text');
  const starts = ownValue(answers as JsonObject, 'answer_start') ?? [];
  if (!Array.isArray(texts)) return { needs: 'a list of "text" in "answers"', got: typeName(texts) };
  if (!Array.isArray(starts))
    return { needs: 'a list of "answer_start" in "answers"', got: typeName(starts) };
  if (starts.length !== 0 && starts.length !== texts.length) {
    return { kind: 'starts', fault: `has ${starts.length} "answer_start" for ${texts.length} "text"` };
  }
  return listed(texts.map((text, i) => ({ text, answer_start: starts[i] })));
}

function listed(answers: readonly unknown[]): RawAnswer[] | RowProblem {
  const read: RawAnswer[] = [];
  for (const answer of answers) {
    const object = Object(answer) as JsonObject;
    const [text, start] = [ownValue(object, 'text'), ownValue(object, 'answer_start')];
    if (typeof text !== 'string') return { needs: 'a string in "text" of an answer', got: typeName(text) };
    const isPlace = typeof start === 'number' && Number.isInteger(start) && start >= 0;
    if (start !== undefined && !isPlace) {
      const got = typeof start === 'number' ? `${start}` : typeName(start);
      return { needs: 'a whole number from 0 in "answer_start"', got };
    }
    read.push({ text, start });
  }
  return read;
}
