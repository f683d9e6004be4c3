import { Effort } from '../../../support/regex/effort.ts';
import { addedTokenCutter } from './added-tokens.ts';
import { AlignedText, type TextToken } from './aligned-text.ts';
import { bpe } from './bpe.ts';
import { MAX_STEPS, within } from './limits.ts';
import { type Normalize, normalizer } from './normalizer.ts';
import { type PreTokenize, preTokenizer } from './pre-tokenizer.ts';
import type { AddedToken, TokenizerJson, TokenizerModel } from './tokenizer-json.ts';
import { unigram } from './unigram.ts';
import type { Model, Vocabulary } from './vocabulary.ts';
import { wordPiece } from './word-piece.ts';

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
