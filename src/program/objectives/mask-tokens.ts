import type { Random } from '../../support/random.ts';
import { IGNORED_LABEL } from './labeled-rows.ts';

/** Settings of masking, named as in transformers' `DataCollatorForLanguageModeling`. */
export interface MaskingSettings {
  /** Share of tokens (or words) that the model predicts. */
  mlm_probability: number;
  /** Share of the predicted tokens that the mask token replaces. */
  mask_replace_prob: number;
  /** Share of the predicted tokens that a random token replaces. The rest stay unchanged. */
  random_replace_prob: number;
  /** Whether all tokens of a word are masked together. */
  whole_word_mask: boolean;
}

/** The properties of a vocabulary that masking needs. */
export interface MaskingVocabulary {
  maskId: number;
  vocabSize: number;
  /** Tokens that are never masked. */
  specialIds: ReadonlySet<number>;
  /** One element per token id: 1 if the token begins a word. */
  wordStarts: Uint8Array;
}

/**
 * Masks tokens in place as in BERT's pretraining. Returns the labels: the original token at masked positions, {@link
 * IGNORED_LABEL} elsewhere. Each token of a masked word is replaced independently. If no token is drawn, one token (or word)
 * is masked, because the loss needs at least one.
 *
 * @param ids [rows, length], row-major
 * @param attentionMask the same shape; 0 for padding
 */
export function maskTokens(
  { ids, attentionMask, length }: { ids: Int32Array; attentionMask: Int32Array; length: number },
  {
    random,
    settings,
    vocabulary,
  }: { random: Random; settings: MaskingSettings; vocabulary: MaskingVocabulary },
): Int32Array {
  const words = findWords(ids, attentionMask, length, settings.whole_word_mask, vocabulary);
  const labels = new Int32Array(ids.length).fill(IGNORED_LABEL);
  const chosen = words.filter(() => random.uniform() < settings.mlm_probability);
  if (chosen.length === 0 && words.length > 0) chosen.push(words[random.integer(words.length)]!);
  for (const [start, end] of chosen) {
    for (let at = start; at < end; at++) {
      labels[at] = ids[at]!;
      ids[at] = replacement(ids[at]!, random, settings, vocabulary);
    }
  }
  return labels;
}

function replacement(
  id: number,
  random: Random,
  { mask_replace_prob, random_replace_prob }: MaskingSettings,
  { maskId, vocabSize }: MaskingVocabulary,
): number {
  const draw = random.uniform();
  if (draw < mask_replace_prob) return maskId;
  return draw < mask_replace_prob + random_replace_prob ? random.integer(vocabSize) : id;
}

/** Start and end of every unit that may be masked: a word or a single token. */
function findWords(
  ids: Int32Array,
  attentionMask: Int32Array,
  length: number,
  wholeWords: boolean,
  { specialIds, wordStarts }: MaskingVocabulary,
): [start: number, end: number][] {
  const words: [number, number][] = [];
  let isInside = false;
  for (let at = 0; at < ids.length; at++) {
    if (at % length === 0) isInside = false;
    if (attentionMask[at] === 0 || specialIds.has(ids[at]!)) {
      isInside = false;
      continue;
    }
    const word = words.at(-1);
    if (wholeWords && isInside && word && wordStarts[ids[at]!] === 0) word[1] = at + 1;
    else words.push([at, at + 1]);
    isInside = true;
  }
  return words;
}
