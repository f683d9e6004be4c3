import { z } from 'zod';
import { detectFormat } from '../../input/data/detect-format.ts';
import {
  checkKeys,
  type JsonObject,
  jsonLines,
  keyName,
  ownValue,
  typeName,
} from '../../input/data/json-lines.ts';
import { parseRows } from '../../input/data/parse-rows.ts';
import { RowProblems } from '../../input/data/rows.ts';
import { readMessages } from '../../input/data/text/language-rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import type { ChatMessage } from '../../input/text/chat/chat-template.ts';
import { commonPrefix } from '../../input/text/learnt-ids.ts';
import { InvalidData } from '../../support/user-error.ts';
import { dataFileKeys } from '../data-files.ts';
import type { ReadingOf } from '../prediction.ts';
import { column, delimiterKey, layoutKeys } from '../table-columns.ts';

/** Pairs of answers, and the loss. Names and defaults as in TRL's `DPOConfig`. */
export const preferenceDataSchema = z.strictObject({
  /** JSON Lines, TSV or CSV. Answers are texts, or in JSON lists of messages. */
  ...dataFileKeys,
  /** Column of the prompt. Default: `prompt`, or without such a column, what both answers have in common at their beginning. */
  prompt: column.optional(),
  /** Column of the answer that people prefer. */
  chosen: column.default('chosen'),
  /** Column of the other answer. */
  rejected: column.default('rejected'),
  ...layoutKeys,
  ...delimiterKey,
  /** Maximum number of tokens of a prompt with an answer. Default: 1024, or the model's limit if lower. */
  max_length: z.int().min(2).optional(),
  /** Whether rows are conversations, so that `generate` uses the chat template. Default: detected. */
  messages: z.literal(true).optional(),
  /** How strongly the model is held to the reference: the β of DPO. A smaller one lets it move farther. */
  beta: z.number().positive().default(0.1),
});

export type PreferenceData = z.output<typeof preferenceDataSchema>;

/** A text, or the messages of a conversation. */
type Turns = string | readonly ChatMessage[];

/** A prompt with two answers. All three are texts, or all three are messages. */
export interface PreferenceRow {
  fileName: string;
  line: number;
  prompt: Turns;
  chosen: Turns;
  rejected: Turns;
}

/**
 * Reads rows.
 *
 * @throws UserError with the lines of all invalid rows, and for files without rows
 */
export function preferenceRows(
  files: readonly TextFile[],
  reading: ReadingOf<PreferenceData>,
): readonly PreferenceRow[] {
  const rows = files.flatMap((file) => {
    const content = file.read();
    return detectFormat(file.name, content) === 'jsonl'
      ? jsonRows(content, file.name, reading)
      : tableRows(content, file.name, reading);
  });
  if (rows.length === 0) throw new InvalidData({ where: files[0]!.name, fault: 'is empty' });
  return rows;
}

function tableRows(content: string, fileName: string, reading: ReadingOf<PreferenceData>): PreferenceRow[] {
  const { prompt = 'prompt', chosen, rejected, header, quote, delimiter } = reading;
  const options = { text: chosen, text_pair: rejected, others: [prompt], header, quote, delimiter };
  return parseRows(content, fileName, options).map(({ line, text, textPair = '', others = [] }) => ({
    fileName,
    line,
    prompt: others[0] ?? '',
    chosen: text,
    rejected: textPair,
  }));
}

function jsonRows(content: string, fileName: string, reading: ReadingOf<PreferenceData>): PreferenceRow[] {
  const problems = new RowProblems(fileName);
  const [chosen, rejected] = [reading.chosen, reading.rejected].map((name) => keyName(name, fileName)) as [
    string,
    string,
  ];
  let prompt = reading.prompt === undefined ? undefined : keyName(reading.prompt, fileName);
  const rows: PreferenceRow[] = [];
  let isFirst = true;
  for (const { line, object } of jsonLines(content, problems)) {
    if (isFirst) {
      if (prompt === undefined && Object.hasOwn(object, 'prompt')) prompt = 'prompt';
      checkKeys(object, [chosen, rejected, ...(prompt === undefined ? [] : [prompt])], `${fileName}:${line}`);
    }
    isFirst = false;
    const turns = (key: string) => readTurns(object, key, line, problems);
    const answers = [turns(chosen), turns(rejected)] as const;
    const asked = prompt === undefined ? undefined : turns(prompt);
    const [better, worse] = answers;
    if (better === undefined || worse === undefined) continue;
    const found = joinTurns(asked, better, worse);
    if (found) rows.push({ fileName, line, ...found });
    else
      problems.add(line, {
        needs: `texts or messages in both "${chosen}" and "${rejected}"`,
        got: 'one of each',
      });
  }
  problems.throwIfAny();
  return rows;
}

function readTurns(object: JsonObject, key: string, line: number, problems: RowProblems): Turns | undefined {
  const value = ownValue(object, key);
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return readMessages(value, key, line, problems)?.messages;
  problems.add(line, { needs: `a text or a list of messages in "${key}"`, got: typeName(value) });
  return undefined;
}

/**
 * The prompt and both answers of a row. A prompt that is a text beside answers with messages repeats their first one.
 * Undefined if one answer is a text and the other has messages.
 */
function joinTurns(
  prompt: Turns | undefined,
  chosen: Turns,
  rejected: Turns,
): Pick<PreferenceRow, 'prompt' | 'chosen' | 'rejected'> | undefined {
  if (typeof chosen === 'string' && typeof rejected === 'string') {
    if (typeof prompt === 'string') return { prompt, chosen, rejected };
    if (prompt !== undefined) {
      const answer = (content: string) => [{ role: 'assistant', content }];
      return { prompt, chosen: answer(chosen), rejected: answer(rejected) };
    }
    // By characters, so that none is cut in two.
    const [a, b] = [[...chosen], [...rejected]];
    const common = commonTurns(a, b);
    const end = common > 0 && a[common - 1] === ' ' ? common - 1 : common;
    const text = (characters: string[], start: number, until?: number) =>
      characters.slice(start, until).join('');
    return { prompt: text(a, 0, end), chosen: text(a, end), rejected: text(b, end) };
  }
  if (typeof chosen === 'string' || typeof rejected === 'string') return undefined;
  if (prompt !== undefined && typeof prompt !== 'string') return { prompt, chosen, rejected };
  const end = commonTurns(chosen, rejected, (x, y) => JSON.stringify(x) === JSON.stringify(y));
  return { prompt: chosen.slice(0, end), chosen: chosen.slice(end), rejected: rejected.slice(end) };
}

/** The length of the common beginning, which leaves something of both, as in TRL's `extract_prompt`. */
function commonTurns<T>(a: readonly T[], b: readonly T[], isEqual?: (x: T, y: T) => boolean): number {
  return Math.min(commonPrefix(a, b, isEqual), Math.max(0, Math.min(a.length, b.length) - 1));
}
