import { maxLength } from '../../input/text/cut-text.ts';
import type { Encoding } from '../../input/text/encoding.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import { requireTexts } from '../../program/modalities/texts.ts';
import { modelFeeds } from '../../program/objectives/model-inputs.ts';
import { targetFeeds } from '../../program/objectives/sequence-loss.ts';
import type { EncodingContext } from '../prediction.ts';
import type { Pair, PairData } from './read-pairs.ts';

type Context = EncodingContext<PairData>;

/** Default maximum number of tokens of a target, as in transformers' run_summarization.py. */
const DEFAULT_TARGET_LENGTH = 128;

/** Builds an example for each target of each source. */
export function pairExamples(pairs: readonly Pair[], context: Context): ExampleSet {
  const texts = requireTexts(context.modality);
  const { padTokenId = texts.padId, decoderStartTokenId = padTokenId } = context.config;
  const longest = targetLength(context);
  const examples = pairs.flatMap(({ source, targets }, i) => {
    context.onProgress?.(i / pairs.length);
    const encodedSource = encodeSource(source, context);
    return targets.map((target) => {
      const written = texts.encode(target, undefined, longest);
      texts.checkIds(written.inputIds);
      return { row: i, read: encodedSource, written };
    });
  });
  const targetLengths = Int32Array.from(examples, ({ written }) => written.inputIds.length);
  return {
    lengths: targetLengths.map((length, i) => length + examples[i]!.read.inputIds.length),
    targetLengths,
    rows: Int32Array.from(examples, ({ row }) => row),
    truncated: examples.filter(({ read, written }) => read.truncated || written.truncated).length,
    batch(chosen) {
      const parts = Array.from(chosen, (example) => examples[example]!);
      const batch = texts.padded(parts.map(({ read }) => read));
      const targets = parts.map(({ written }) => written.inputIds);
      const { feeds, weight } = targetFeeds(targets, { padTokenId, decoderStartTokenId });
      return { feeds: { ...modelFeeds(batch), ...feeds }, weight };
    },
  };
}

/** The tokens of a source with its prefix, truncated to the maximum length. */
export function encodeSource(source: string, context: Context): Encoding {
  const texts = requireTexts(context.modality);
  texts.roomIn(texts.maxLength, 'max_source_length');
  const encoding = texts.encode(context.reading.source_prefix + source);
  texts.checkIds(encoding.inputIds);
  return encoding;
}

/** Maximum number of tokens of a target or a generated text. */
export function targetLength(context: Context): number {
  const { reading, config } = context;
  const longest =
    reading.max_target_length === undefined
      ? Math.min(DEFAULT_TARGET_LENGTH, config.maxLength)
      : maxLength(reading.max_target_length, Infinity, config.maxLength, 'data.max_target_length');
  requireTexts(context.modality).roomIn(longest, 'max_target_length');
  return longest;
}
