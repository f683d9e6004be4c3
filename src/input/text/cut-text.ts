import { UserError } from '../../support/user-error.ts';
import type { AddedToken, TokenizerJson } from './steps/tokenizer-json.ts';

/** Cuts a text into pieces that can be tokenized separately. Their concatenated tokens are those of the text. */
export type CutText = (text: string) => Iterable<string>;

/**
 * Cuts a text into words. No step of BERT's tokenizer depends on characters beyond white space or an ideograph, so
 * words can be tokenized separately.
 */
function* bertWords(text: string): Iterable<string> {
  for (let start = 0; start < text.length; ) {
    const end = wordEnd(text, start);
    if (!isSpace(text.charCodeAt(start))) yield text.slice(start, end);
    start = end;
  }
}

/** The end of the word at `start`. A space or an ideograph counts as a word. */
function wordEnd(text: string, start: number): number {
  if (isBreak(text.charCodeAt(start))) return start + 1;
  let end = start + 1;
  while (end < text.length && !isBreak(text.charCodeAt(end))) end++;
  return end;
}

function isBreak(code: number): boolean {
  return isSpace(code) || (code >= 0x4e00 && code <= 0x9fff);
}

/** Whether a character ends a word. Other white space remains in its word, and the tokenizer splits it. */
function isSpace(code: number): boolean {
  return code === 32 || (code <= 13 && (code === 9 || code === 10 || code === 13));
}

const SPACE = 32;
const LINE_FEED = 10;

/**
 * Cuts between a word and a letter with one space or line feed between them. The cut is before a space, or after a line
 * feed.
 *
 * @param stops characters after which there is no cut
 */
function beforeSpaces(stops: string): CutText {
  return function* (text) {
    let start = 0;
    for (let at = 1; at < text.length - 1; at++) {
      const code = text.charCodeAt(at);
      if (code !== SPACE && code !== LINE_FEED) continue;
      if (!endsWord(text[at - 1]!, stops) || !isLetter(text[at + 1]!)) continue;
      const end = code === SPACE ? at : at + 1;
      yield text.slice(start, end);
      start = end;
    }
    if (start < text.length) yield text.slice(start);
  };
}

/** Cuts at the same places and removes the spaces, for tokenizers that prepend a space to every text. */
function betweenSpaces(stops: string): CutText {
  return function* (text) {
    let start = 0;
    for (let at = 1; at < text.length - 1; at++) {
      if (text.charCodeAt(at) !== SPACE) continue;
      if (!endsWord(text[at - 1]!, stops) || !isLetter(text[at + 1]!)) continue;
      yield text.slice(start, at);
      start = at + 1;
    }
    if (start < text.length) yield text.slice(start);
  };
}

/** Whether a character is neither white space nor part of a sequence that could join other characters. */
function endsWord(character: string, stops: string): boolean {
  if (stops.includes(character)) return false;
  const code = character.charCodeAt(0);
  return code < 128 ? code > 32 && code < 127 : /[\p{L}\p{N}\p{P}]/u.test(character);
}

function isLetter(character: string): boolean {
  const code = character.charCodeAt(0);
  return code < 128 ? (code | 32) >= 97 && (code | 32) <= 122 : /\p{L}/u.test(character);
}

/**
 * The number of tokens to keep of each text of a pair, for a total of `budget`, as `longest_first` in the Rust library.
 * If it is enough to truncate the longer text, only that is truncated. Otherwise, each gets half, and the longer text
 * gets the odd token (the second text if both are equally long).
 */
export function longestFirst(first: number, second: number, budget: number): [number, number] {
  if (first + second <= budget) return [first, second];
  const half = Math.floor(budget / 2);
  const shorter = Math.min(first, second, half);
  const longer = budget - shorter;
  return first > second ? [longer, shorter] : [shorter, longer];
}

/**
 * The maximum number of tokens of an input: `requested` (`data.max_length`), or by default the tokenizer's
 * `model_max_length` (1e30 if it was never set). It is at most `maxPositions`, the number of position embeddings.
 *
 * @param where the key of `requested`, for messages
 * @throws UserError if more is requested than the model supports
 */
export function maxLength(
  requested: number | undefined,
  modelMaxLength: number,
  maxPositions: number,
  where = 'data.max_length',
): number {
  if (requested === undefined) return Math.min(modelMaxLength, maxPositions);
  if (Number.isInteger(requested) && requested > 0 && requested <= maxPositions) return requested;
  throw new UserError({
    where,
    fault: `must be a whole number from 1 to ${maxPositions}, the model's max_position_embeddings, got ${requested}`,
    code: 'invalid_config',
  });
}

/**
 * A text for testing cuts. Near possible cuts, it has punctuation, apostrophes, digits, line ends, capitals and
 * accents.
 */
const PROBE =
  'The cat sat on a mat, then it (the cat) ran off. "It\'s 12 o\'clock: go!" she said\nto it.\nÜber öfter it - is 3 a.m. now';

/**
 * Finds how texts may be cut for a tokenizer. Undefined if no way is safe.
 *
 * For BERT, the way is known. For others, it is tested. A cut is safe under two conditions. No token of the vocabulary
 * spans it, which is looked up. And the steps before the model treat both sides alike, which is tried on a text. There
 * is no cut after a character that may end an added token, because some tokenizers restart there.
 *
 * @param tokenize returns the ids of a whole text
 * @param vocabulary tokens as the model has them: with `Ġ` or `▁` for a space, `Ċ` for a line feed
 */
export function findCut(
  json: TokenizerJson,
  tokenize: (text: string) => readonly number[],
  vocabulary: readonly (string | undefined)[],
): CutText | undefined {
  if (isWordwise(json)) return bertWords;
  const added = json.added_tokens;
  const contents = new Set(added.map(({ content }) => content));
  const plain = vocabulary.filter((token): token is string => token !== undefined && !contents.has(token));
  const hasSpace = plain.some((token) => token === 'Ġ' || token === '▁' || token === ' ');
  const spans = plain.some((token) => SPANS_SPACE.test(token) || SPANS_LINE_END.test(token));
  if (!hasSpace || spans || added.some(looksAcross)) return undefined;
  const stops = [...new Set(added.flatMap(({ content }) => content.slice(-1)))].join('');
  const whole = tokenize(PROBE).join();
  const agrees = (cut: CutText) => [...cut(PROBE)].flatMap(tokenize).join() === whole;
  return [beforeSpaces(stops), betweenSpaces(stops)].find(agrees);
}

const SPANS_SPACE = /[^Ġ▁Ċčĉ\s][Ġ▁ ][^Ġ▁Ċčĉ\s]/u;
const SPANS_LINE_END = /[Ċ\n][^Ġ▁Ċčĉ\s]/u;

/** Whether a tokenizer works like BERT's, with words that end at white space and ideographs. */
function isWordwise({ normalizer, pre_tokenizer, model, added_tokens }: TokenizerJson): boolean {
  return (
    normalizer?.type === 'BertNormalizer' &&
    normalizer.handle_chinese_chars === true &&
    pre_tokenizer?.type === 'BertPreTokenizer' &&
    model.type === 'WordPiece' &&
    !added_tokens.some(({ content }) => /[\s\u4e00-\u9fff]/.test(content))
  );
}

/** Whether an added token may span a cut, or include the white space at a cut. */
function looksAcross({ content, lstrip, rstrip }: AddedToken): boolean {
  return /\S\s\S/.test(content) || rstrip === true || (lstrip === true && /^\p{L}/u.test(content));
}
