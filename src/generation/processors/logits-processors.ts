import type { GenerationSettings } from '../generation-settings.ts';
import type { PaddedPrompts } from '../padded-prompts.ts';
import { logSoftmax } from '../softmax.ts';
import { banNgrams } from './ban-ngrams.ts';
import { banSequences } from './ban-sequences.ts';
import { forceTokens } from './force-tokens.ts';
import type { LogitsProcessor } from './logits-processor.ts';
import { penaliseRepetition } from './penalise-repetition.ts';
import { samplingFilters } from './sampling-filters.ts';
import { suppressTokens } from './suppress-tokens.ts';

/** What processors need in addition to the settings. Lengths are of whole rows, including padding. */
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
): LogitsProcessor[] {
  const { eos_token_id: ends = [], forced_bos_token_id: bos, num_beams } = settings;
  const only = (isWanted: boolean, processor: () => LogitsProcessor) => (isWanted ? [processor()] : []);
  const paddings = prompts.rows.map((_, item) => (isEncoderDecoder ? 0 : prompts.paddings[item]));
  const banned =
    settings.bad_words_ids?.filter((words) => words.length > 1 || !ends.includes(words[0])) ?? [];
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
    // In beam search, at least one token must remain that does not end the text.
    ...(settings.do_sample ? samplingFilters(settings, num_beams > 1 ? (ends.length || 1) + 1 : 1) : []),
    ...only(settings.renormalize_logits, () => logSoftmax),
  ];
}
