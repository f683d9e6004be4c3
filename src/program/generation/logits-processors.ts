import { computeProbabilities, logSoftmax, topIndices } from './draw.ts';
import type { GenerationSettings } from './generation-settings.ts';
import type { PaddedPrompts } from './read-tokens.ts';

/**
 * Changes the scores of a row's next token in place.
 *
 * @param scores [vocab]: logits, or with several beams log probabilities
 * @param tokens the row so far, including padding
 * @param item the index of the row's prompt
 */
export type LogitsProcessor = (scores: Float32Array, tokens: readonly number[], item: number) => void;

/** The settings that change a distribution before sampling. */
interface SamplingSettings {
  temperature: number;
  top_k: number;
  top_p: number;
  min_p?: number;
}

/** The filters in transformers' order: temperature, top-k, top-p, min-p. Each leaves at least `kept` tokens. */
export function samplingFilters(settings: SamplingSettings, kept: number): LogitsProcessor[] {
  const { temperature, top_k, top_p, min_p } = settings;
  return [
    ...(temperature === 1 ? [] : [heat(temperature)]),
    ...(top_k === 0 ? [] : [keepTopK(Math.max(top_k, kept))]),
    ...(top_p === 1 ? [] : [keepTopP(top_p, kept)]),
    ...(min_p === undefined ? [] : [keepMinP(min_p, kept)]),
  ];
}

function heat(temperature: number): LogitsProcessor {
  return (scores) => {
    for (let i = 0; i < scores.length; i++) scores[i]! /= Math.fround(temperature);
  };
}

/** Up to this k, insertion is faster than sorting all scores. */
const FEW = 1000;

/** Keeps the k highest scores, and all scores equal to the last of them. */
function keepTopK(k: number): LogitsProcessor {
  return (scores) => {
    if (k >= scores.length) return;
    const least =
      k <= FEW ? scores[topIndices(scores, k)[k - 1]!]! : scores.slice().sort()[scores.length - k]!;
    remove(scores, (score) => score < least);
  };
}

/** Removes the least likely tokens, as long as their total probability does not exceed 1 - p. */
function keepTopP(p: number, kept: number): LogitsProcessor {
  const rest = Math.fround(1 - p);
  return (scores) => {
    // Banned tokens are left out: they have no probability, and sorting them is slow.
    const rising = scores.filter((score) => score > Number.NEGATIVE_INFINITY).sort();
    const probabilities = computeProbabilities(rising);
    let removed = 0;
    for (let sum = 0; removed < rising.length - kept; removed++) {
      sum += probabilities[removed]!;
      if (!(Math.fround(sum) <= rest)) break;
    }
    // Among equal scores, lower indices are removed first. In transformers, an ascending sort puts them
    // first.
    const bound = rising[removed]!;
    let equals = removed - rising.indexOf(bound);
    remove(scores, (score) => score < bound || (score === bound && equals-- > 0));
  };
}

function keepMinP(share: number, kept: number): LogitsProcessor {
  return (scores) => {
    const probabilities = computeProbabilities(scores);
    const best = topIndices(scores, kept);
    const bound = Math.fround(Math.fround(share) * probabilities[best[0]!]!);
    remove(scores, (_, i) => probabilities[i]! < bound && !best.includes(i));
  };
}

function remove(scores: Float32Array, isOut: (score: number, index: number) => boolean): void {
  for (let i = 0; i < scores.length; i++) if (isOut(scores[i]!, i)) scores[i] = Number.NEGATIVE_INFINITY;
}

/** The inputs of processors in addition to the settings. Lengths are of whole rows, including padding. */
export interface RowLimits {
  /** Number of tokens in each row before generation. */
  begun: number;
  least: number;
  most: number;
}

/** The processors that the settings require, in the order of transformers' `_get_logits_processor`. */
export function logitsProcessors(
  settings: GenerationSettings,
  limits: RowLimits,
  prompts: PaddedPrompts,
  isEncoderDecoder: boolean,
  constraint?: LogitsProcessor,
): LogitsProcessor[] {
  const { eos_token_id: ends = [], forced_bos_token_id: bos, num_beams } = settings;
  const only = (isWanted: boolean, processor: () => LogitsProcessor) => (isWanted ? [processor()] : []);
  const paddings = prompts.rows.map((_, item) => (isEncoderDecoder ? 0 : prompts.paddings[item]!));
  const banned =
    settings.bad_words_ids?.filter((words) => words.length > 1 || !ends.includes(words[0]!)) ?? [];
  const { repetition_penalty, no_repeat_ngram_size, encoder_no_repeat_ngram_size } = settings;
  const { forced_eos_token_id, suppress_tokens = [], begin_suppress_tokens = [] } = settings;
  const first = limits.begun === 1 && bos !== undefined ? 2 : limits.begun;
  return [
    ...only(repetition_penalty !== 1, () => penaliseRepetition(repetition_penalty, paddings)),
    ...only(no_repeat_ngram_size > 0, () => banNgrams(no_repeat_ngram_size)),
    ...only(encoder_no_repeat_ngram_size > 0, () => banNgrams(encoder_no_repeat_ngram_size, prompts.rows)),
    ...only(banned.length > 0, () => banSequences(banned)),
    ...only(limits.least > 0, () => suppressTokens(ends, 0, limits.least)),
    ...(bos === undefined ? [] : [forceTokens(1, [bos])]),
    ...(forced_eos_token_id === undefined ? [] : [forceTokens(limits.most - 1, forced_eos_token_id)]),
    ...only(suppress_tokens.length > 0, () => suppressTokens(suppress_tokens)),
    ...only(begin_suppress_tokens.length > 0, () => suppressTokens(begin_suppress_tokens, first, first + 1)),
    ...(constraint ? [afterForced(constraint, bos === undefined ? 0 : 2)] : []),
    // In beam search, at least one token must remain that does not end the text.
    ...(settings.do_sample ? samplingFilters(settings, num_beams > 1 ? (ends.length || 1) + 1 : 1) : []),
    ...only(settings.renormalize_logits, () => logSoftmax),
  ];
}

/** A processor for rows of at least `length` tokens. */
function afterForced(process: LogitsProcessor, length: number): LogitsProcessor {
  return (scores, tokens, item) => {
    if (tokens.length >= length) process(scores, tokens, item);
  };
}

/**
 * Bans tokens that would complete an n-gram of the source. The source is given for each prompt, or else it is
 * the row itself. Padding counts, as in transformers.
 */
function banNgrams(size: number, sources?: readonly (readonly number[])[]): LogitsProcessor {
  return (scores, tokens, item) => {
    const source = sources?.[item] ?? tokens;
    const start = tokens.length + 1 - size;
    if (start < 0) return;
    for (let end = size - 1; end < source.length; end++) {
      let same = 0;
      while (same < size - 1 && source[end + 1 - size + same] === tokens[start + same]) same++;
      if (same === size - 1) scores[source[end]!] = Number.NEGATIVE_INFINITY;
    }
  };
}

/** Bans the last token of each sequence, if the row ends in the sequence's other tokens. */
function banSequences(sequences: readonly (readonly number[])[]): LogitsProcessor {
  return (scores, tokens) => {
    for (const sequence of sequences) {
      const start = tokens.length + 1 - sequence.length;
      if (start >= 0 && sequence.every((id, i) => i === sequence.length - 1 || id === tokens[start + i])) {
        scores[sequence[sequence.length - 1]!] = Number.NEGATIVE_INFINITY;
      }
    }
  };
}

/** Allows only the `forced` tokens if a row has exactly this length. Their scores are equal. */
function forceTokens(length: number, forced: readonly number[]): LogitsProcessor {
  return (scores, tokens) => {
    if (tokens.length !== length) return;
    scores.fill(Number.NEGATIVE_INFINITY);
    for (const token of forced) scores[token] = 0;
  };
}

/**
 * Lowers the scores of tokens that have occurred: divides them by the penalty, or multiplies them if they are
 * negative.
 */
function penaliseRepetition(penalty: number, paddings: readonly number[]): LogitsProcessor {
  return (scores, tokens, item) => {
    for (const token of new Set(tokens.slice(paddings[item]))) {
      if (token >= scores.length) continue; // an embedding may have more rows than there are logits
      const score = scores[token]!;
      scores[token] = score < 0 ? score * Math.fround(penalty) : score / Math.fround(penalty);
    }
  };
}

/** Bans tokens in rows whose length is in [from, to). */
function suppressTokens(
  suppressed: readonly number[],
  from = 0,
  to = Number.POSITIVE_INFINITY,
): LogitsProcessor {
  return (scores, tokens) => {
    if (tokens.length < from || tokens.length >= to) return;
    for (const token of suppressed) scores[token] = Number.NEGATIVE_INFINITY;
  };
}
