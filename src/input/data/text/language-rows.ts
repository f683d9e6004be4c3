import { InvalidData, UserError } from '../../../support/user-error.ts';
import type { ChatMessage, ChatTools } from '../../text/chat/chat-template.ts';
import { beginsWithObject, readExtension } from '../detect-format.ts';
import { type JsonObject, jsonLines, ownValue, requireText, typeName } from '../json-lines.ts';
import { checkRowCount, RowProblems } from '../rows.ts';
import { findKeys, type Keys, type LanguageColumns } from './language-keys.ts';

/** A training example of a language model: a text, a prompt with its completion, or a conversation. */
type LanguageContent =
  | { text: string }
  | { prompt: string; completion: string; choices?: readonly string[] }
  | { messages: readonly ChatMessage[]; tools?: ChatTools };

/** An example with its position in the file: its line (from 1), and the number of characters before it. */
export type LanguageRow = LanguageContent & { line: number; offset: number };

/**
 * The examples in a plain text file (`.txt`), or in JSON Lines with `text`, `prompt` and `completion`, or
 * `messages`. Plain texts and `text` are split into documents by `sampleBy`.
 *
 * @param problems collects the problems of single rows, which are skipped
 * @throws UserError for a table, and for JSON Lines without the needed keys
 */
export function* languageRows(
  content: string,
  fileName: string,
  columns: LanguageColumns,
  sampleBy: SampleBy,
  problems: RowProblems,
): Iterable<LanguageRow> {
  if (!isJsonl(content, fileName, columns)) {
    let count = 0;
    for (const document of splitDocuments(content, sampleBy)) {
      checkRowCount(++count, fileName);
      yield document;
    }
    return;
  }
  for (const { row, line, offset } of jsonContents(content, columns, problems)) {
    if (!('text' in row)) yield { ...row, line, offset };
    else for (const { text } of splitDocuments(row.text, sampleBy)) yield { text, line, offset };
  }
}

/** The contents of the objects of JSON Lines, with their places. */
function* jsonContents(content: string, columns: LanguageColumns, problems: RowProblems) {
  let keys: Keys | undefined;
  for (const { line, offset, end, object } of jsonLines(content, problems)) {
    keys ??= findKeys(object, columns, `${problems.fileName}:${line}`);
    const row = readRow(object, keys, line, problems);
    if (row) yield { row, line, offset, end };
  }
}

/** A part of a file that is trained on or held out as a whole, and the text by which it is compared with others. */
export interface LanguageRecord {
  start: number;
  end: number;
  text: string;
}

/**
 * The records of a file: objects of JSON Lines; paragraphs of a plain text, or its lines if it has no paragraphs or each
 * line is a document. Prompts and conversations are compared without the answer.
 *
 * @param content with LF as line ends
 * @throws UserError for a table, and for JSON Lines without the needed keys
 */
export function* languageRecords(
  content: string,
  fileName: string,
  columns: LanguageColumns,
  sampleBy: SampleBy,
): Iterable<LanguageRecord> {
  if (!isJsonl(content, fileName, columns)) {
    const paragraphs = sampleBy === 'line' ? [] : [...splitDocuments(content, 'paragraph')];
    const records = paragraphs.length > 1 ? paragraphs : splitDocuments(content, 'line');
    for (const { offset, text } of records) yield { start: offset, end: offset + text.length, text };
    return;
  }
  // Training reads the file again, and reports these problems.
  for (const { row, offset, end } of jsonContents(content, columns, new RowProblems(fileName)))
    yield { start: offset, end, text: askedText(row) };
}

function askedText(row: LanguageContent): string {
  if ('text' in row) return row.text;
  if ('prompt' in row) return row.prompt;
  return JSON.stringify(row.messages.length > 1 ? row.messages.slice(0, -1) : row.messages);
}

/** The given columns, or those found in the first row of a file. */
export function foundColumns(content: string, fileName: string, columns: LanguageColumns): LanguageColumns {
  if (!isJsonl(content, fileName, columns)) return {};
  for (const { line, object } of jsonLines(content, new RowProblems(fileName))) {
    const { kind: _, ...names } = findKeys(object, columns, `${fileName}:${line}`);
    return names;
  }
  return {};
}

/** Whether a file has JSON Lines. A file with another name may be a text that begins like JSON. */
function isJsonl(content: string, fileName: string, columns: LanguageColumns): boolean {
  const extension = readExtension(fileName);
  switch (extension) {
    case 'parquet':
    case 'jsonl':
    case 'ndjson':
    case 'json':
      return true;
    case 'csv':
    case 'tsv': {
      throw new InvalidData({
        where: fileName,
        fault: `is a table (.${extension}). Pass plain text (.txt) or JSON Lines (.jsonl)`,
      });
    }
    default:
      return beginsWithObject(content) && hasKnownKeys(content, columns);
  }
}

function hasKnownKeys(content: string, columns: LanguageColumns): boolean {
  try {
    for (const { object } of jsonLines(content, new RowProblems(''))) {
      findKeys(object, columns, '');
      return true;
    }
    return false;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

function readRow(
  object: JsonObject,
  keys: Keys,
  line: number,
  problems: RowProblems,
): LanguageContent | undefined {
  const text = (name: string) => requireText(object, name, line, problems);
  switch (keys.kind) {
    case 'text':
      return { text: text(keys.text) };
    case 'completion':
      return { prompt: text(keys.prompt), completion: text(keys.completion) };
    case 'choices':
      return readChoices(object, keys, line, problems);
    case 'messages':
      return readConversation(object, keys.messages, line, problems);
  }
}

/** Key of the functions that a conversation may call. */
const TOOLS = 'tools';

/** Reads a list of JSON schemas of functions. Datasets of TRL may have it as JSON text. */
function readTools(value: unknown, line: number, problems: RowProblems): ChatTools | undefined {
  if (value === undefined || value === null) return undefined;
  let list: unknown = value;
  try {
    if (typeof value === 'string') list = JSON.parse(value);
  } catch {
    // The text itself is no list, and becomes a problem.
  }
  if (Array.isArray(list) && list.every((one) => typeName(one) === 'an object'))
    return list.length > 0 ? list : undefined;
  problems.add(line, { needs: `a list of functions' JSON schemas in "${TOOLS}"`, got: typeName(value) });
  return undefined;
}

/** Reads a prompt with several completions; only the right one is learned. */
function readChoices(
  object: JsonObject,
  { prompt, choices: key, answer }: Extract<Keys, { kind: 'choices' }>,
  line: number,
  problems: RowProblems,
): LanguageContent | undefined {
  const choices = ownValue(object, key);
  if (
    !Array.isArray(choices) ||
    choices.length < 2 ||
    !choices.every((one) => typeof one === 'string' && one !== '')
  ) {
    problems.add(line, { needs: `a list of at least two texts in "${key}"`, got: typeName(choices) });
    return undefined;
  }
  const right = ownValue(object, answer);
  const completion: unknown =
    typeof right === 'number' ? choices[right] : choices.find((one) => one === right);
  if (typeof completion === 'string')
    return { prompt: requireText(object, prompt, line, problems), completion, choices };
  const needs = `the number or text of one of "${key}" in "${answer}"`;
  problems.add(line, { needs, got: JSON.stringify(right) ?? 'nothing' });
  return undefined;
}

/** Reads messages, and the functions that they may call. Undefined for a row with a problem. */
export function readConversation(
  object: JsonObject,
  key: string,
  line: number,
  problems: RowProblems,
): { messages: readonly ChatMessage[]; tools?: ChatTools } | undefined {
  const tools = readTools(ownValue(object, TOOLS), line, problems);
  const row = readMessages(ownValue(object, key), key, line, problems);
  return row && tools ? { ...row, tools } : row;
}

export function readMessages(value: unknown, key: string, line: number, problems: RowProblems) {
  if (Array.isArray(value) && value.length > 0 && value.every(isMessage)) return { messages: value };
  const needs = `a list of messages in "${key}", each with a role and a content`;
  const got = Array.isArray(value)
    ? value.length === 0
      ? 'an empty list'
      : 'other entries'
    : typeName(value);
  problems.add(line, { needs, got });
  return undefined;
}

function isMessage(value: unknown): value is ChatMessage {
  if (typeof value !== 'object' || value === null) return false;
  const { role, content } = value as JsonObject;
  return typeof role === 'string' && (content === undefined || content === null || isContent(content));
}

/** Whether a message's content is valid: a string, or a list of parts as in multimodal templates. */
function isContent(content: unknown): boolean {
  return typeof content === 'string' || Array.isArray(content);
}

/** The units of text that can become a document, named as in Hugging Face's text datasets. */
export const SAMPLE_BY = ['document', 'paragraph', 'line'] as const;
export type SampleBy = (typeof SAMPLE_BY)[number];

interface Document {
  /** The line of the file on which it starts, from 1. */
  line: number;
  /** Number of characters before the document. */
  offset: number;
  text: string;
}

/**
 * Splits a text into documents: the whole text, its paragraphs (separated by blank lines) or its lines. Blank
 * documents are dropped. Line ends become LF.
 *
 * @param line the line of the file on which the text begins
 */
export function* splitDocuments(text: string, sampleBy: SampleBy, line = 1): Iterable<Document> {
  const body = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
  const separator = SEPARATORS[sampleBy];
  let start = 0;
  while (start < body.length) {
    separator.lastIndex = start;
    const match = separator.exec(body);
    const end = match ? match.index : body.length;
    const part = body.slice(start, end);
    if (part.trim() !== '') yield { line, offset: start, text: part };
    const next = match ? end + match[0].length : body.length;
    line += countLines(body, start, next);
    start = next;
  }
}

/** Separators between documents. The pattern for whole documents never matches. */
const SEPARATORS: Readonly<Record<SampleBy, RegExp>> = {
  document: /(?!)/g,
  paragraph: /\n(?:[^\S\n]*\n)+/g,
  line: /\n/g,
};

function countLines(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', start); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
