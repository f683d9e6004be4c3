import { type JsonObject, ownValue, typeName } from '../../input/data/json-lines.ts';
import type { RowProblem } from '../../input/data/rows.ts';
import type { BestSpans } from './best-spans.ts';
import type { AnsweredText } from './question-examples.ts';

/** The contents of files by name, as run_qa.py writes them and the official script of SQuAD v2.0 reads them. */
export function squadFiles(ids: readonly string[], best: readonly BestSpans[]): Record<string, string> {
  const hasOdds = best.some(({ nullOdds }) => nullOdds !== undefined);
  return {
    'predictions.json': object(
      ids,
      best.map(({ answer }) => answer.text),
    ),
    'nbest_predictions.json': object(ids, best.map(nbestRows)),
    ...(hasOdds && {
      'null_odds.json': object(
        ids,
        best.map(({ nullOdds }) => nullOdds),
      ),
    }),
  };
}

/** The best spans of a question, with the key names of run_qa.py. */
export function nbestRows({ nbest }: BestSpans): object[] {
  return nbest.map(({ text, probability, startLogit, endLogit }) => ({
    start_logit: startLogit,
    end_logit: endLogit,
    text,
    probability,
  }));
}

/** Writes a JSON object with its keys in order, even numeric keys. */
function object(keys: readonly string[], values: readonly unknown[]): string {
  const lines = keys.map((key, i) => {
    const value = JSON.stringify(values[i], null, 4).replaceAll('\n', '\n    ');
    return `    ${JSON.stringify(key)}: ${value}`;
  });
  return `{\n${lines.join(',\n')}\n}\n`;
}

/**
 * Whether questions follow SQuAD v2.0, which has questions without an answer. Either the file declares it, or a
 * question has no answer.
 */
export function isSquadV2(questions: readonly Pick<AnsweredText, 'answers' | 'ofV2'>[]): boolean {
  return questions.some(({ answers, ofV2 }) => ofV2 || answers.length === 0);
}

/** A question in a file, as unchecked values by key. */
export interface QuestionEntry {
  question: JsonObject;
  /** The object with the context: the paragraph, or the question's own row. */
  paragraph: JsonObject;
}

/** Reports an unexpected value at a place in the file. */
type Misplaced = (place: string, problem: RowProblem) => void;

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
