import { checkWholeJson, exactJson } from '../../input/data/json.ts';
import { type JsonObject, jsonLines, ownValue, typeName } from '../../input/data/json-lines.ts';
import { type RowProblem, RowProblems } from '../../input/data/rows.ts';
import { listNames } from '../../support/text.ts';
import { InvalidData } from '../../support/user-error.ts';
import type { AnsweredText, AnswersRead, GivenAnswer } from './question-examples.ts';
import { Characters } from './span-features.ts';
import { type QuestionEntry, questionEntries } from './squad-json.ts';

/**
 * Finds the start of an answer without a position, in code points. It prefers the first occurrence as whole words to
 * other occurrences. Undefined if the answer does not occur.
 */
export function placeAnswer(context: string, answer: string): number | undefined {
  let first: number | undefined;
  for (let at = context.indexOf(answer); at >= 0; at = context.indexOf(answer, at + 1)) {
    first ??= at;
    if (!isInWord(context, at) && !isInWord(context, at + answer.length))
      return new Characters(context).indexOf(at);
  }
  return first === undefined ? undefined : new Characters(context).indexOf(first);
}

/** Whether there are letters or digits on both sides of a position. */
function isInWord(text: string, at: number): boolean {
  return (
    /[\p{L}\p{N}]$/u.test(text.slice(Math.max(0, at - 2), at)) &&
    /^[\p{L}\p{N}]/u.test(text.slice(at, at + 2))
  );
}

/** An answer in a file. */
interface RawAnswer {
  text: string;
  /** `answer_start`, if present. */
  start?: number;
}

/**
 * Reads the answers of a question: a list of `{text, answer_start}` as in SQuAD, `{text: [], answer_start: []}` as on
 * the Hub, or one text under `answer`. Returns a problem if they have another form.
 */
function readAnswers(question: JsonObject): RawAnswer[] | RowProblem {
  const answers = ownValue(question, 'answers');
  const answer = ownValue(question, 'answer');
  if (answers === undefined && typeof answer === 'string') return [{ text: answer }];
  if (answers === undefined && ownValue(question, 'is_impossible') === true) return [];
  if (answers === undefined) {
    return { kind: 'answers', fault: `has no "answers", only ${listNames(Object.keys(question))}` };
  }
  if (Array.isArray(answers)) return listAnswers(answers);
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
  return listAnswers(texts.map((text, i) => ({ text, answer_start: starts[i] })));
}

function listAnswers(answers: readonly unknown[]): RawAnswer[] | RowProblem {
  const valid: RawAnswer[] = [];
  for (const answer of answers) {
    const object = Object(answer) as JsonObject;
    const [text, start] = [ownValue(object, 'text'), ownValue(object, 'answer_start')];
    if (typeof text !== 'string') return { needs: 'a string in "text" of an answer', got: typeName(text) };
    const isPlace = typeof start === 'number' && Number.isInteger(start) && start >= 0;
    if (start !== undefined && !isPlace) {
      const got = typeof start === 'number' ? `${start}` : typeName(start);
      return { needs: 'a whole number from 0 in "answer_start"', got };
    }
    valid.push({ text, start });
  }
  return valid;
}

/**
 * Reads the questions of a file: JSON in SQuAD's format (v1.1 or v2.0), a list of rows, or JSON Lines.
 *
 * @param answers `none` for prediction, `texts` for scoring, `places` for training. With `places`, every answer must
 * occur in its context, at its `answer_start` if it has one.
 * @throws UserError for all problems with the questions, named by line or id
 */
export function readQuestions(body: string, fileName: string, answers: AnswersRead): AnsweredText[] {
  const problems = new RowProblems(fileName);
  const questions: AnsweredText[] = [];
  const ids = new Set<string>();
  for (const { place, entry, ofV2 } of listEntries(body, fileName, problems)) {
    const id = readId(entry.question, questions.length);
    const result = id === undefined ? badId(entry.question) : readQuestion(entry, id, answers);
    const where = place ?? `question ${id ?? questions.length}`;
    if (!('id' in result)) problems.add(where, result);
    else if (ids.has(result.id)) problems.add(where, { fault: 'has the id of another question' });
    else {
      ids.add(result.id);
      const isV2 = ofV2 || ownValue(entry.question, 'is_impossible') !== undefined;
      questions.push(isV2 ? { ...result, ofV2: true } : result);
    }
  }
  problems.throwIfAny();
  if (questions.length > 0) return questions;
  throw new InvalidData({ where: fileName, fault: body.trim() === '' ? 'is empty' : 'has no questions' });
}

/** An entry of a file. `place` is its line if the file has lines. */
interface PlacedEntry {
  place?: number;
  entry: QuestionEntry;
  /** Whether the file declares SQuAD v2.0. */
  ofV2: boolean;
}

function* listEntries(body: string, fileName: string, problems: RowProblems): Iterable<PlacedEntry> {
  const whole = isLines(body, fileName) ? undefined : parseBody(body, fileName);
  if (whole === undefined) {
    for (const { line, object } of jsonLines(body, problems))
      yield { place: line, entry: { question: object, paragraph: object }, ofV2: false };
    return;
  }
  const isRow = !Array.isArray(whole) && Object.hasOwn(whole, 'question');
  const version = Array.isArray(whole) ? undefined : ownValue(whole, 'version');
  const ofV2 = typeof version === 'string' && /^v?2/i.test(version);
  const items = Array.isArray(whole) ? whole : isRow ? [whole] : ownValue(whole, 'data');
  const misplaced = (place: string, problem: RowProblem) => problems.add(place, problem);
  for (const entry of questionEntries(items, Array.isArray(whole) ? 'the file' : 'data', misplaced))
    yield { entry, ofV2 };
}

/** Whether a file is JSON Lines. Either its name says so, or its first line is an object and other lines follow. */
function isLines(body: string, fileName: string): boolean {
  if (/\.(jsonl|ndjson)$/i.test(fileName)) return true;
  const end = body.indexOf('\n', /\S|$/.exec(body)!.index);
  const first = body.slice(0, Math.max(end, 0)).trim();
  const next = /\s*\{/y;
  next.lastIndex = end;
  return first.startsWith('{') && first.endsWith('}') && next.test(body);
}

function parseBody(body: string, fileName: string): JsonObject | unknown[] {
  const hint = 'Pass a JSON file of SQuAD, or JSON Lines with question, context and answers.';
  checkWholeJson(body, fileName);
  let value: unknown;
  try {
    value = exactJson(body);
  } catch (error) {
    const fault = body.trim() === '' ? 'is empty' : `is not valid JSON: ${(error as Error).message}`;
    throw new InvalidData({ where: fileName, fault, hint });
  }
  if (typeof value === 'object' && value !== null) return value as JsonObject | unknown[];
  throw new InvalidData({ where: fileName, fault: `has only ${typeName(value)}`, hint });
}

function readId(question: JsonObject, place: number): string | undefined {
  const id = ownValue(question, 'id') ?? place;
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}

function badId(question: JsonObject): RowProblem {
  return { needs: 'a string in "id"', got: typeName(ownValue(question, 'id')) };
}

function readQuestion(
  { question: row, paragraph }: QuestionEntry,
  id: string,
  answers: AnswersRead,
): AnsweredText | RowProblem {
  const [question, context] = [ownValue(row, 'question'), ownValue(paragraph, 'context')];
  if (typeof question !== 'string') return describeMissing('question', row);
  if (answers !== 'texts' || context !== undefined) {
    if (typeof context !== 'string') return describeMissing('context', paragraph);
    if (context.trim() === '') return { fault: 'has an empty "context"' };
  }
  const result: AnsweredText = { id, question, context: String(context ?? ''), answers: [] };
  if (answers === 'none') return result;
  const raw = readAnswers(row);
  if (!Array.isArray(raw)) return raw;
  if (answers === 'texts') return { ...result, answers: raw.map(({ text }) => ({ text, start: -1 })) };
  const characters = new Characters(result.context);
  const placedAnswers: GivenAnswer[] = [];
  for (const { text, start } of raw) {
    if (text === '') return { fault: 'has an answer with an empty "text"' };
    const place = start ?? placeAnswer(result.context, text);
    const isThere =
      place !== undefined && characters.slice(place, place + new Characters(text).length) === text;
    if (!isThere) return notThere(result.context, text, start);
    placedAnswers.push({ text, start: place });
  }
  return { ...result, answers: placedAnswers };
}

function describeMissing(key: string, object: JsonObject): RowProblem {
  const value = ownValue(object, key);
  if (value !== undefined) return { needs: `a string in "${key}"`, got: typeName(value) };
  return { kind: key, fault: `has no "${key}", only ${listNames(Object.keys(object))}` };
}

function notThere(context: string, text: string, start: number | undefined): RowProblem {
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
  const place = placeAnswer(context, text);
  if (start === undefined || place === undefined)
    return { kind: 'absent answer', fault: `has the answer ${shown}, which is not in its context` };
  const hint = `It stands at ${place}, counted in characters (code points) from 0.`;
  return {
    kind: 'answer_start',
    fault: `has another text than ${shown} at its answer_start, ${start}`,
    hint,
  };
}
