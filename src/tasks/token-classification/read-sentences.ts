import { readExtension } from '../../input/data/detect-format.ts';
import { type JsonObject, jsonLines, keyName, ownValue, typeName } from '../../input/data/json-lines.ts';
import { type RowProblem, RowProblems } from '../../input/data/rows.ts';
import { listNames, suggest, suggestAmong } from '../../support/text.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';
import { conllSentences, findLine, type TaggedSentence, type WordColumns } from './conll-sentences.ts';

const WORDS = ['tokens', 'words'];
const TAGS = ['ner_tags', 'tags', 'labels'];

/**
 * Reads the sentences of JSON Lines. A row has a list of words under one key and a list of tags under another. Tags are
 * strings or indices in `label_names`.
 *
 * @param problems collects the problems of single rows, which are skipped
 * @throws UserError if the first row lacks the keys
 */
function* jsonSentences(
  content: string,
  fileName: string,
  columns: WordColumns,
  labeled: boolean,
  problems: RowProblems,
): Iterable<TaggedSentence> {
  let wordKey: string | undefined;
  let tagKey: string | undefined;
  for (const { line, object } of jsonLines(content, problems)) {
    if (wordKey === undefined) {
      const where = `${fileName}:${line}`;
      wordKey = findKey(object, columns.words, WORDS, where, 'data.words');
      if (labeled) tagKey = findKey(object, columns.tags, TAGS, where, 'data.tags');
    }
    const words = readWords(ownValue(object, wordKey), wordKey);
    const tags = tagKey === undefined ? [] : readTags(ownValue(object, tagKey), tagKey, columns.label_names);
    if (!Array.isArray(words)) problems.add(line, words);
    if (!Array.isArray(tags)) problems.add(line, tags);
    if (!Array.isArray(words) || !Array.isArray(tags)) continue;
    if (tagKey === undefined || tags.length === words.length) yield { line, words, tags };
    else problems.add(line, { kind: 'counts', fault: `has ${words.length} words but ${tags.length} tags` });
  }
}

/** The given key, or else the first of the usual keys that the row has. */
function findKey(
  row: JsonObject,
  setKey: string | number | undefined,
  usual: readonly string[],
  where: string,
  setting: string,
): string {
  const names = Object.keys(row);
  const usedKey = setKey === undefined ? usual.find((key) => names.includes(key)) : keyName(setKey, where);
  if (usedKey === undefined) {
    const hint = `Say in ${setting} what it is called.`;
    throw new UserError({
      where,
      fault: `has the keys ${listNames(names)}, but needs ${usual.join(' or ')}`,
      hint,
      code: 'unknown_column',
    });
  }
  if (names.includes(usedKey)) return usedKey;
  const hint = suggestAmong(usedKey, names, "The row's keys");
  throw new UserError({ where, fault: `has no column "${usedKey}"`, hint, code: 'unknown_column' });
}

function readWords(value: unknown, key: string): string[] | RowProblem {
  if (!Array.isArray(value)) return { needs: `a list of words in "${key}"`, got: typeName(value) };
  const other = value.findIndex((word) => typeof word !== 'string');
  return other < 0 ? value : { needs: `strings in "${key}"`, got: typeName(value[other]) };
}

/** Reads the tags of a row. Returns a problem if they are invalid. */
function readTags(value: unknown, key: string, names: readonly string[] | undefined): string[] | RowProblem {
  if (!Array.isArray(value)) return { needs: `a list of tags in "${key}"`, got: typeName(value) };
  const tags: string[] = [];
  for (const tag of value) {
    if (typeof tag === 'string' && tag !== '') tags.push(tag);
    else if (typeof tag !== 'number') {
      return {
        needs: `a tag for each word in "${key}"`,
        got: tag === '' ? 'an empty string' : typeName(tag),
      };
    } else if (!names) {
      const hint = 'Name them in data.label_names, in the order of their numbers.';
      return { needs: `strings in "${key}"`, got: 'numbers', hint };
    } else if (names[tag] === undefined) {
      return { needs: `numbers from 0 to ${names.length - 1} in "${key}"`, got: `${tag}` };
    } else tags.push(names[tag]);
  }
  return tags;
}

/**
 * Reads sentences from the content of a file: JSON Lines (by its extension, or because it begins with an object) or
 * CoNLL columns. CRLF line ends are accepted.
 *
 * @param labeled whether words must have tags; otherwise tags are ignored
 * @throws UserError with file and line for all problems of the rows at once
 */
export function readSentences(
  body: string,
  fileName: string,
  columns: WordColumns,
  labeled: boolean,
): TaggedSentence[] {
  const readRows = isJsonl(body, fileName) ? jsonSentences : conllSentences;
  const problems = new RowProblems(fileName);
  const sentences = [...readRows(body, fileName, columns, labeled, problems)];
  if (columns.label_names) checkNames(sentences, columns.label_names, problems);
  problems.throwIfAny();
  if (sentences.some(({ words }) => words.length > 0)) return sentences;
  throw new InvalidData({ where: fileName, fault: 'is empty' });
}

function isJsonl(content: string, fileName: string): boolean {
  switch (readExtension(fileName)) {
    case 'parquet':
    case 'jsonl':
    case 'ndjson':
    case 'json':
      return true;
    case 'csv': {
      throw new InvalidData({
        where: fileName,
        fault: 'is a table (.csv). Pass CoNLL columns (separated by tabs or spaces) or JSON Lines (.jsonl)',
      });
    }
    default:
      return /^\s*(\[\s*)?\{\s*"/.test(content);
  }
}

function checkNames(
  sentences: readonly TaggedSentence[],
  names: readonly string[],
  problems: RowProblems,
): void {
  const known = new Set(names);
  let hint: string | undefined; // The hint for the first such tag. Only that tag is reported in full.
  for (const sentence of sentences) {
    sentence.tags.forEach((tag, word) => {
      if (known.has(tag)) return;
      hint ??= suggest(tag, names);
      problems.add(findLine(sentence, word), {
        kind: 'tag',
        fault: `has the tag "${tag}", which is not in data.label_names`,
        hint,
      });
    });
  }
}
