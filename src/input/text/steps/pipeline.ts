import { Effort } from '../../../support/regex/effort.ts';
import { InvalidData, type UserError } from '../../../support/user-error.ts';
import { AlignedText, type TextToken, widthAt } from './aligned-text.ts';
import { bpe, byteTokens } from './bpe.ts';
import { MAX_STEPS, within } from './decoder.ts';
import { type Normalize, normalizer } from './normalizer.ts';
import { type PreTokenize, preTokenizer } from './pre-tokenizer.ts';
import type {
  AddedToken,
  TokenizerJson,
  TokenizerModel,
  UnigramConfig,
  WordPieceConfig,
} from './tokenizer-json.ts';
import { createVocabulary, type Model, type PieceToken, Vocabulary } from './vocabulary.ts';

/**
 * Builds the step of a `model` section.
 *
 * @throws Error for an inconsistent section
 */
function model(config: TokenizerModel): Model {
  switch (config.type) {
    case 'BPE':
      return bpe(config);
    case 'Unigram':
      return unigram(config);
    case 'WordPiece':
      return wordPiece(config);
  }
}

/**
 * The steps of a tokenizer.json from a text to its tokens, in the order of the Rust library. Added tokens are cut out.
 * The parts between are normalized, cut at added tokens again, and cut into pieces. The model tokenizes each piece.
 */
export class Pipeline {
  readonly vocabulary: Vocabulary;
  readonly #model: Model;
  readonly #normalize: Normalize;
  readonly #preTokenize: PreTokenize;
  readonly #cutWritten: ReturnType<typeof addedTokenCutter>;
  readonly #cutNormalized: ReturnType<typeof addedTokenCutter>;
  readonly #effort = new Effort(MAX_STEPS);

  /** @throws Error for inconsistent parts */
  constructor(json: TokenizerJson) {
    this.#model = model(json.model);
    this.#normalize = normalizer(json.normalizer ?? null, this.#effort);
    this.#preTokenize = preTokenizer(json.pre_tokenizer ?? null, this.#effort);
    this.vocabulary = this.#model.vocabulary;
    for (const { content, id } of json.added_tokens) this.vocabulary.addFirst(content, id);

    const isNormalized = ({ normalized, special }: AddedToken) => normalized ?? !special;
    const written = json.added_tokens.filter((token) => !isNormalized(token));
    const normalized = json.added_tokens.filter(isNormalized);
    const contentOf = ({ content }: AddedToken) => content;
    this.#cutWritten = addedTokenCutter(written, written.map(contentOf));
    const normalizedContents = normalized.map(({ content }) => this.#normalize(AlignedText.of(content)).text);
    this.#cutNormalized = addedTokenCutter(normalized, normalizedContents);
  }

  /**
   * The tokens of a text, without added special tokens. Special tokens in the text itself are recognized.
   *
   * @throws UserError for a text that takes too many steps
   */
  tokens(text: string): TextToken[] {
    return within(this.#effort, `a text of ${text.length} characters`, () => this.#tokensIn(text));
  }

  #tokensIn(text: string): TextToken[] {
    const made: TextToken[] = [];
    for (const { text: section, token } of this.#cutWritten(AlignedText.of(wellFormed(text)))) {
      if (token) made.push(textToken(section, { id: token.id, token: section.text }));
      else this.#tokensOf(this.#normalize(section), made);
    }
    return made;
  }

  #tokensOf(normalized: AlignedText, made: TextToken[]): void {
    for (const { text: section, token } of this.#cutNormalized(normalized)) {
      if (token) {
        made.push(textToken(section, { id: token.id, token: section.text }));
        continue;
      }
      for (const piece of this.#preTokenize(section)) {
        if (piece.text === '') continue;
        for (const { from, to, ...token } of this.#model.tokenize(piece.text))
          made.push({ ...token, start: piece.starts[from]!, end: piece.ends[Math.max(from, to - 1)]! });
      }
    }
  }
}

function textToken(section: AlignedText, token: Pick<TextToken, 'id' | 'token'>): TextToken {
  return { ...token, start: section.starts[0]!, end: section.ends[section.ends.length - 1]! };
}

/** Replaces lone surrogates by U+FFFD, because UTF-8 cannot represent them. */
function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd');
}

/** A part of a text: an added token, or the text between two. */
interface SplitText {
  text: AlignedText;
  token?: AddedToken;
}

const WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/**
 * Returns a function that splits texts at added tokens. It takes the leftmost match. If several match at one
 * position, it takes the longest.
 *
 * @param contents the text of each token
 */
function addedTokenCutter(tokens: readonly AddedToken[], contents: readonly string[]) {
  const byFirst = new Map<string, { content: string; token: AddedToken }[]>();
  for (const [i, token] of tokens.entries()) {
    const content = contents[i]!;
    if (content === '') continue;
    const beginning = byFirst.get(content[0]!) ?? [];
    byFirst.set(content[0]!, beginning);
    beginning.push({ content, token });
  }
  for (const beginning of byFirst.values()) beginning.sort((a, b) => b.content.length - a.content.length);

  return (text: AlignedText): SplitText[] => {
    if (byFirst.size === 0) return text.text === '' ? [] : [{ text }];
    const sections: SplitText[] = [];
    let done = 0;
    const until = (to: number) => {
      if (done < to) sections.push({ text: text.slice(done, to) });
      done = Math.max(done, to);
    };
    for (let at = 0; at < text.text.length; ) {
      const token = byFirst.get(text.text[at]!)?.find(({ content }) => text.text.startsWith(content, at));
      if (!token) {
        at++;
        continue;
      }
      const end = at + token.content.length;
      const { single_word, lstrip, rstrip } = token.token;
      if (!single_word || isAlone(text.text, at, end)) {
        until(lstrip ? Math.max(done, spaceBefore(text.text, at)) : at);
        const to = rstrip ? spaceAfter(text.text, end) : end;
        sections.push({ text: text.slice(done, to), token: token.token });
        done = to;
      }
      at = end;
    }
    until(text.text.length);
    return sections;
  };
}

/** Whether the range [from, to) has no word character directly before or after it. */
function isAlone(text: string, from: number, to: number): boolean {
  const before = [...text.slice(Math.max(0, from - 2), from)].at(-1);
  const after = [...text.slice(to, to + 2)][0];
  return !(before && WORD.test(before)) && !(after && WORD.test(after));
}

function spaceBefore(text: string, at: number): number {
  while (at > 0 && /\p{White_Space}/u.test(text[at - 1]!)) at--;
  return at;
}

function spaceAfter(text: string, at: number): number {
  while (at < text.length && /\p{White_Space}/u.test(text[at]!)) at++;
  return at;
}

/** Maximum number of vocabulary lookups for one word. They take a second. */
const MAX_LOOKS = 2 ** 22;

/** WordPiece: repeatedly takes the longest token of the vocabulary with which the rest of a word begins. */
function wordPiece(config: WordPieceConfig): Model {
  const vocabulary = createVocabulary(config.vocab);
  const unknown = vocabulary.idOf(config.unk_token);
  if (unknown === undefined) throw new Error(`the vocabulary lacks the unk_token ${config.unk_token}`);
  const { continuing_subword_prefix: prefix, max_input_chars_per_word: longest } = config;
  // A longer prefix cannot be a token.
  const longestToken = vocabulary.tokens.reduce((most, token = '') => Math.max(most, token.length), 0);

  return {
    vocabulary,
    tokenize(word) {
      const whole = [{ id: unknown, token: config.unk_token, from: 0, to: word.length }];
      if (word.length > longest && [...word].length > longest) return whole;
      if (word.length * Math.min(longestToken, word.length) > MAX_LOOKS) throw tooLong(word, longest);
      const tokens: PieceToken[] = [];
      for (let from = 0; from < word.length; from = tokens[tokens.length - 1]!.to) {
        const piece = longestAt(word, from);
        if (!piece) return whole;
        tokens.push(piece);
      }
      return tokens;
    },
  };

  function longestAt(word: string, from: number): PieceToken | undefined {
    for (let to = Math.min(word.length, from + longestToken); to > from; to--) {
      const token = (from > 0 ? prefix : '') + word.slice(from, to);
      const id = vocabulary.idOf(token);
      if (id !== undefined) return { id, token, from, to };
    }
    return undefined;
  }
}

function tooLong(word: string, longest: number): UserError {
  return new InvalidData({
    where: `a word with ${JSON.stringify(word.slice(0, 20))}`,
    fault: `has ${word.length} characters`,
    hint: `The tokenizer allows words of ${longest} characters (max_input_chars_per_word); 100 is usual.`,
  });
}

/** The score of an unknown character is the lowest token score minus this. */
const UNKNOWN_PENALTY = 10;
/** Maximum length of a token, four times the longest known. All lengths are looked up at every position of a text. */
const MAX_TOKEN_LENGTH = 512;

/**
 * Sentencepiece's Unigram model: chooses the tokens with the largest sum of scores. If sums are equal, it chooses
 * the longest last tokens.
 */
function unigram(config: UnigramConfig): Model {
  const vocabulary = new Vocabulary();
  const scores = config.vocab.map((entry) => entry?.[1]);
  const ids = new Map<string, number>();
  // The maximum token length for each first UTF-16 unit.
  const longest = new Map<number, number>();
  for (const [id, entry] of config.vocab.entries()) {
    const [token, score] = Array.isArray(entry) ? entry : [];
    if (typeof token !== 'string' || typeof score !== 'number')
      throw new Error(`entry ${id} of vocab is not a token with a score`);
    if (token.length > MAX_TOKEN_LENGTH)
      throw new Error(`entry ${id} of vocab has ${token.length} characters, more than ${MAX_TOKEN_LENGTH}`);
    // The last of equal tokens counts, as in the Rust library.
    ids.set(token, id);
    vocabulary.tokens[id] = token;
    const first = token.charCodeAt(0);
    longest.set(first, Math.max(longest.get(first) ?? 0, token.length));
  }
  for (const [token, id] of ids) vocabulary.add(token, id);
  const unknown = config.unk_id ?? undefined;
  if (scores.length === 0) throw new Error('vocab is empty');
  if (unknown !== undefined && unknown >= scores.length)
    throw new Error(`unk_id is ${unknown}, but vocab has ${scores.length} entries`);
  const unknownScore = scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
  const bytes = config.byte_fallback ? byteTokens(vocabulary) : undefined;

  return {
    vocabulary,
    tokenize(piece) {
      const tokens: PieceToken[] = [];
      for (const [from, to] of spans(piece)) {
        const token = piece.slice(from, to);
        const id = ids.get(token);
        if (id !== undefined) tokens.push({ id, token, from, to });
        else tokens.push(...(bytes?.(token, from, to) ?? [{ id: known(), token, from, to }]));
      }
      return tokens;
    },
  };

  function known(): number {
    if (unknown === undefined)
      throw new Error('a character is not in the vocabulary, and there is no unk_id');
    return unknown;
  }

  /** The best segmentation of a piece. Adjacent unknown characters form one token. */
  function spans(piece: string): [number, number][] {
    const size = piece.length;
    const score = new Float64Array(size + 1);
    const start = new Int32Array(size + 1).fill(-1);
    const isUnknown = new Uint8Array(size + 1);
    const offer = (from: number, to: number, candidate: number, id: number) => {
      if (start[to]! >= 0 && candidate <= score[to]!) return;
      score[to] = candidate;
      start[to] = from;
      isUnknown[to] = Number(id === unknown);
    };
    for (let from = 0, width: number; from < size; from += width) {
      width = widthAt(piece, from);
      let hasSingle = false;
      const end = Math.min(size, from + (longest.get(piece.charCodeAt(from)) ?? 0));
      for (let to = from + 1; to <= end; to++) {
        const id = ids.get(piece.slice(from, to));
        if (id === undefined) continue;
        offer(from, to, scores[id]! + score[from]!, id);
        hasSingle ||= to === from + width;
      }
      if (!hasSingle) offer(from, from + width, unknownScore + score[from]!, known());
    }
    const pieces: [number, number][] = [];
    let joinable = false;
    for (let to = size; to > 0; to = start[to]!) {
      if (joinable && isUnknown[to]) pieces[pieces.length - 1]![0] = start[to]!;
      else pieces.push([start[to]!, to]);
      joinable = isUnknown[to] === 1;
    }
    return pieces.reverse();
  }
}
