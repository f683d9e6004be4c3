import { z } from 'zod';
import { readExtension } from '../../input/data/detect-format.ts';
import { fileLines } from '../../input/data/file-lines.ts';
import { entities } from '../../scores/metrics/seqeval.ts';
import { InvalidData, type Problem } from '../../support/user-error.ts';
import { dataFileKeys } from '../data-files.ts';
import type { ReadingFlags, ReadingOf } from '../prediction.ts';
import { STANDARD_INPUT, withFlags } from '../table-columns.ts';
import { isBoundary, splitLine, type WordColumns } from './conll-sentences.ts';
import { readSentences } from './read-sentences.ts';

const nonEmpty = z.string().min(1);

const column = z.union([nonEmpty, z.int().min(0)], {
  error: 'expected a JSON key, or the number of a column from 0',
});

/** Files with a tag for each word, and how they are read. */
export const wordDataSchema = z.strictObject({
  /** CoNLL columns or JSON Lines. */
  ...dataFileKeys,
  /** Key or column of the words. Default: `tokens` or `words` in JSON, else the first column. */
  words: column.optional(),
  /** Key or column of the tags. Default: `ner_tags`, `tags` or `labels` in JSON, else the last column. */
  tags: column.optional(),
  /** List of all tags. Tags given as numbers in JSON Lines are indices into it. */
  label_names: z.array(nonEmpty).min(2).optional(),
  /** Maximum number of tokens, special tokens included. Longer sentences are truncated. */
  max_length: z.int().min(1).default(128),
});

export type WordData = z.output<typeof wordDataSchema>;

/** Finds problems of the section: the same column for words and tags, or a repeated tag. */
export function wordProblems({ words, tags, label_names = [] }: WordData): Problem[] {
  const problems: Problem[] = [];
  if (words !== undefined && words === tags)
    problems.push({ path: ['data', 'tags'], fault: 'and data.words name the same column' });
  const twice = label_names.find((name, i) => label_names.indexOf(name) !== i);
  if (twice !== undefined) problems.push({ path: ['data', 'label_names'], fault: `has "${twice}" twice` });
  return problems;
}

/** A named entity: consecutive words of a sentence. */
interface NamedEntity {
  type: string;
  /** The entity's words are [start, end). */
  start: number;
  end: number;
  /** The entity's words, joined by spaces. */
  text: string;
  /** Mean probability of the words' tags. */
  score: number;
}

/** A model's result for the words of a sentence. */
export interface TaggedWords {
  words: readonly string[];
  /** One per word. Null for words that the model did not see, because they have no pieces or were truncated. */
  tags: (string | null)[];
  /** For each word, the probability of its tag. */
  scores: (number | null)[];
  entities: NamedEntity[];
}

/**
 * The most likely tag of each word, and the entities that the tags mark. Words that the model did not see are skipped.
 * As in scoring, they do not split an entity.
 *
 * @param seen indices of the words with logits, ascending
 * @param logits [seen, labels], row-major
 */
export function taggedWords(
  words: readonly string[],
  seen: Int32Array,
  logits: Float32Array,
  labels: readonly string[],
): TaggedWords {
  const tags = words.map((): string | null => null);
  const scores = words.map((): number | null => null);
  seen.forEach((word, row) => {
    const { id, probability } = likeliest(logits.subarray(row * labels.length, (row + 1) * labels.length));
    tags[word] = labels[id]!;
    scores[word] = probability;
  });
  const marked = entities(Array.from(seen, (word) => tags[word]!));
  return {
    words,
    tags,
    scores,
    entities: marked.map(({ type, ...place }) => {
      const [start, end] = [seen[place.start]!, seen[place.end - 1]! + 1];
      const inside = scores.slice(start, end).filter((score) => score !== null);
      const score = inside.reduce((sum, one) => sum + one, 0) / inside.length;
      return { type, start, end, text: words.slice(start, end).join(' '), score };
    }),
  };
}

/** The index of the largest logit (the first of equal ones), and its softmax. */
function likeliest(logits: Float32Array): { id: number; probability: number } {
  let id = 0;
  for (let other = 1; other < logits.length; other++) if (logits[other]! > logits[id]!) id = other;
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - logits[id]!), 0);
  return { id, probability: 1 / sum };
}

/** A word of a text. Its characters are [start, end). */
interface TextWord {
  text: string;
  start: number;
  end: number;
}

/** Splits at white space. In scripts without spaces between words, every character is a word. */
const CHUNKS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+/gu;
/** Matches `J.` and `U.S.`: a few letters, each followed by a full stop. */
const INITIALS = /^(\p{L}\.){1,8}$/u;

/**
 * Splits plain text into words, roughly as in annotated corpora: at white space, with surrounding punctuation as
 * separate words. A repeated sign is one word, and so are `@name` and `#tag`.
 */
export function textWords(text: string): TextWord[] {
  return Array.from(text.matchAll(CHUNKS)).flatMap(({ 0: chunk, index }) => {
    const [before, after]: [TextWord[], TextWord[]] = [[], []];
    let [start, end] = [index, index + chunk.length];
    while (start < end && isPunctuation(text[start]!) && !beginsName(text, start)) {
      const from = start;
      while (start < end && text[start] === text[from]) start++;
      before.push(word(text, from, start));
    }
    while (start < end && isPunctuation(text[end - 1]!)) {
      if (text[end - 1] === '.' && INITIALS.test(text.slice(start, end))) break;
      const to = end;
      while (start < end && text[end - 1] === text[to - 1]) end--;
      after.push(word(text, end, to));
    }
    const middle = start < end ? [word(text, start, end)] : [];
    return [...before, ...middle, ...after.reverse()];
  });
}

function word(text: string, start: number, end: number): TextWord {
  return { text: text.slice(start, end), start, end };
}

function isPunctuation(character: string): boolean {
  return /\p{P}/u.test(character);
}

function beginsName(text: string, at: number): boolean {
  return (text[at] === '@' || text[at] === '#') && /\p{L}/u.test(text[at + 1] ?? '');
}

const TAG = /^(O|[BIESLUM]-\S+)$/;
/**
 * Maximum number of columns in files that do not end lines with a tag. They have a word, its part of speech, its chunk.
 */
const MAX_COLUMNS = 4;

/** The keys of `data` that the flags of other tasks set. */
const MEANING: Readonly<Record<string, 'words' | 'tags'>> = { text: 'words', label: 'tags' };

/**
 * The settings for reading another file than the run's. `--text` names the column of words, `--label` the column of tags.
 *
 * @throws UserError for an unsupported flag
 */
export function wordsWithFlags(reading: ReadingOf<WordData>, flags: ReadingFlags): ReadingOf<WordData> {
  const meant = Object.entries(flags).map(([key, value]) => [MEANING[key] ?? key, value] as const);
  const what = 'task token_classification';
  return withFlags(wordDataSchema, reading, Object.fromEntries(meant), what, Object.keys(MEANING));
}

/**
 * Reads sentences to tag from a file or, without a name, from standard input: JSON Lines, CoNLL columns, or plain text
 * with one sentence per line. A blank line keeps its place.
 *
 * @throws UserError like {@link readSentences}, and for lines that may be columns as well as sentences
 */
export function sentencesToTag(
  body: string,
  fileName: string | undefined,
  reading: ReadingOf<WordData>,
): { words: readonly string[] }[] {
  const where = fileName ?? STANDARD_INPUT;
  if (!isPlainText(body, fileName, reading)) return readSentences(body, where, reading, false);
  if (body.trim() === '') throw new InvalidData({ where, fault: 'has no sentences' });
  return Array.from(fileLines(body, where), ({ line, text }) => ({
    line,
    words: textWords(text).map((word) => word.text),
  }));
}

/**
 * Whether the lines of a text are sentences. Otherwise, they are JSON or CoNLL columns. Columns have tabs, tags at the
 * end of lines, one word per line, or an extension other than `.txt`.
 *
 * @param fileName undefined for standard input, where one word per line is also a sentence
 * @throws UserError if the lines of a file may be either
 */
function isPlainText(body: string, fileName: string | undefined, { words }: WordColumns): boolean {
  const extension = fileName === undefined ? 'txt' : (readExtension(fileName) ?? 'txt');
  if (extension !== 'txt' || /^\s*(\[\s*)?\{\s*"/.test(body)) return false;
  const lines = Array.from(fileLines(body, fileName ?? STANDARD_INPUT), ({ text }) => text);
  const rows = lines.filter((text) => !isBoundary(text) && !text.startsWith('#'));
  if (rows.length === 0) return true;
  if (rows[0]!.includes('\t') || lines.some((text) => text.startsWith('-DOCSTART-'))) return false;
  const fields = rows.map((text) => splitLine(text, { isTabbed: false }));
  const width = fields[0]!.length;
  const isEven = fields.every(({ length }) => length === width);
  if (isEven && width === 1) return fileName === undefined;
  const tagged = fields.filter((row) => row.length > 1 && TAG.test(row[row.length - 1]!)).length;
  if (2 * tagged >= rows.length) return false;
  if (fileName === undefined || !isEven || rows.length === 1) return true;
  if (typeof words === 'number') return false;
  if (width > MAX_COLUMNS || rows.length === lines.length) return true;
  throw new InvalidData({
    where: fileName,
    fault: `may contain sentences or columns: all its lines have ${width} words`,
    hint: 'To read sentences: predict MODEL < FILE. To read columns: --text 0, the number of the word column.',
  });
}
