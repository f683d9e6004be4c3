import { type JsonObject, jsonLines, ownValue, typeName } from '../../input/data/json-lines.ts';
import type { RowProblem, RowProblems } from '../../input/data/rows.ts';
import { listNames, suggestAmong } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import type { TaggedSentence, WordColumns } from './tagged-sentence.ts';

const WORDS = ['tokens', 'words'];
const TAGS = ['ner_tags', 'tags', 'labels'];

/**
 * Reads the sentences of JSON Lines. A row has a list of words under one key and a list of tags under another. Tags are
 * strings or indices in `label_names`.
 *
 * @param problems collects the problems of single rows, which are skipped
 * @throws UserError if the first row lacks the keys
 */
export function* jsonSentences(
  content: string,
  fileName: string,
  columns: WordColumns,
  labelled: boolean,
  problems: RowProblems,
): Iterable<TaggedSentence> {
  let wordKey: string | undefined;
  let tagKey: string | undefined;
  for (const { line, object } of jsonLines(content, problems)) {
    if (wordKey === undefined) {
      const where = `${fileName}:${line}`;
      wordKey = findKey(object, columns.words, WORDS, where, 'data.words');
      if (labelled) tagKey = findKey(object, columns.tags, TAGS, where, 'data.tags');
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
  if (typeof setKey === 'number') {
    const hint = 'Give the name of a key.';
    throw new UserError({
      where,
      fault: `has no column ${setKey}, because its rows have named keys`,
      hint,
      code: 'unknown_column',
    });
  }
  const usedKey = setKey ?? usual.find((key) => names.includes(key));
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
