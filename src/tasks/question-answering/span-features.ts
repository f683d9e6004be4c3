import type { OffsetsEncoding } from '../../input/text/encoding.ts';
import { UserError } from '../../support/user-error.ts';

const SURROGATES = /[\ud800-\udbff][\udc00-\udfff]/;

/** A text indexed by code points, the unit of answer positions and offsets. */
export class Characters {
  readonly #text: string;
  /** The index in the string at which each code point starts. Undefined if all code points have length 1. */
  readonly #starts: number[] | undefined;

  constructor(text: string) {
    this.#text = text;
    if (!SURROGATES.test(text)) return;
    const starts: number[] = [];
    for (let at = 0; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) starts.push(at);
    this.#starts = starts;
  }

  get length(): number {
    return this.#starts?.length ?? this.#text.length;
  }

  slice(start: number, end: number): string {
    return this.#text.slice(this.#place(start), this.#place(end));
  }

  /** The index of the code point that begins at an index of the string. */
  indexOf(place: number): number {
    return this.#starts ? this.#starts.findIndex((start) => start >= place) : place;
  }

  #place(character: number): number {
    return this.#starts ? (this.#starts[character] ?? this.#text.length) : character;
  }
}

/** The index of the context in a pair of question and context. */
export const CONTEXT = 1;

/** A question with a window of its context, in a model's form. */
export type SpanFeature = Omit<OffsetsEncoding, 'tokens'>;

/** How to split a context. */
interface Windows {
  /** Maximum number of tokens of a feature, including special tokens and the question. */
  maxLength: number;
  /** Number of tokens that consecutive windows share. */
  docStride: number;
}

/**
 * Builds the features of a question and its context: one, or for a long context one per window. They equal
 * those of transformers with `truncation="only_second"`, `stride` and `return_overflowing_tokens`.
 *
 * @param where the question for messages
 * @throws UserError if the question leaves no room, or the windows would not advance
 */
export function spanFeatures(
  pair: SpanFeature,
  { maxLength, docStride }: Windows,
  where: string,
): SpanFeature[] {
  const length = pair.inputIds.length;
  if (length <= maxLength) return [pair];
  const [begin, end] = [pair.sequenceIds.indexOf(CONTEXT), pair.sequenceIds.lastIndexOf(CONTEXT) + 1];
  const room = maxLength - (length - (end - begin));
  if (begin < 0 || room < 1) {
    throw new UserError({
      where,
      fault: `leaves no room for the context: ${maxLength - room} of ${maxLength} tokens are the question and special ones`,
      hint: 'Raise data.max_length, or shorten the question.',
      code: 'invalid_config',
    });
  }
  if (docStride >= room) {
    throw new UserError({
      where: `data.doc_stride, ${where}`,
      fault: `must be less than ${room}, the tokens left for the context within data.max_length, got ${docStride}`,
      hint: 'Raise data.max_length, or lower data.doc_stride.',
      code: 'invalid_config',
    });
  }
  const windows: SpanFeature[] = [];
  for (let start = begin; ; start += room - docStride) {
    const stop = Math.min(start + room, end);
    windows.push(cut(pair, [begin, start], [stop, end]));
    if (stop === end) return windows;
  }
}

/** Removes ranges of tokens from a pair. */
function cut(pair: SpanFeature, ...left: [from: number, to: number][]): SpanFeature {
  const kept = (_: number, token: number) => left.every(([from, to]) => token < from || token >= to);
  return {
    inputIds: pair.inputIds.filter(kept),
    tokenTypeIds: pair.tokenTypeIds.filter(kept),
    starts: pair.starts.filter(kept),
    ends: pair.ends.filter(kept),
    sequenceIds: pair.sequenceIds.filter(kept),
    truncated: true,
  };
}
