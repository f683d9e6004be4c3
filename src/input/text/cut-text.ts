import { UserError } from '../../support/user-error.ts';

/** Cuts a text into pieces that can be tokenized separately. Their concatenated tokens are those of the text. */
export type CutText = (text: string) => Iterable<string>;

/**
 * Cuts a text into words. No step of BERT's tokenizer depends on characters beyond white space or an ideograph, so
 * words can be tokenized separately.
 */
export function* bertWords(text: string): Iterable<string> {
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
export function beforeSpaces(stops: string): CutText {
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
export function betweenSpaces(stops: string): CutText {
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
  });
}
