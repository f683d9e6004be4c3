import { collate } from '../../input/text/batches.ts';
import { maxLength } from '../../input/text/cut-text.ts';
import type { Encoding } from '../../input/text/tokenizer.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import { IGNORED, labelledRows } from '../../program/objectives/labelled-rows.ts';
import { modelFeeds } from '../../program/objectives/model-inputs.ts';
import { shiftRight } from '../../program/objectives/shift-right.ts';
import { UserError } from '../../support/user-error.ts';
import type { EncodingContext } from '../task-definition.ts';
import type { PairData } from './data-section.ts';
import type { Pair } from './read-pairs.ts';

type Context = EncodingContext<PairData>;

/** Default maximum number of tokens of a target, as in transformers' run_summarization.py. */
const DEFAULT_TARGET_LENGTH = 128;

/** Builds an example for each target of each source. */
export function pairExamples(pairs: readonly Pair[], context: Context): ExampleSet {
  const { tokenizer, config } = context;
  const { padTokenId = tokenizer.padId, decoderStartTokenId = padTokenId } = config;
  const longest = targetLength(context);
  const examples = pairs.flatMap(({ source, targets }, i) => {
    context.onProgress?.(i / pairs.length);
    const read = encodeSource(source, context);
    return targets.map((target) => {
      const written = tokenizer.encode(target, undefined, longest);
      checkIds(written.inputIds, context);
      return { row: i, read, written };
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
      const batch = collate(
        parts.map(({ read }) => read),
        tokenizer.padId,
      );
      const length = parts.reduce((most, { written }) => Math.max(most, written.inputIds.length), 0);
      const labels = new Int32Array(parts.length * length).fill(IGNORED);
      for (const [row, { written }] of parts.entries()) labels.set(written.inputIds, row * length);
      const inputIds = shiftRight(labels, length, { padTokenId, decoderStartTokenId });
      const targets = labelledRows(labels, parts.length, length, false);
      return {
        feeds: { ...modelFeeds({ ...batch, decoder: { inputIds, length } }), ...targets },
        weight: targets.labels!.data.length,
      };
    },
  };
}

/** The tokens of a source with its prefix, truncated to the maximum length. */
export function encodeSource(source: string, context: Context): Encoding {
  const { tokenizer, reading, maxLength: longest } = context;
  checkRoom('max_source_length', longest, context);
  const encoding = tokenizer.encode(reading.source_prefix + source, undefined, longest);
  checkIds(encoding.inputIds, context);
  return encoding;
}

/** Maximum number of tokens of a target or a generated text. */
export function targetLength(context: Context): number {
  const { reading, config } = context;
  const longest =
    reading.max_target_length === undefined
      ? Math.min(DEFAULT_TARGET_LENGTH, config.maxLength)
      : maxLength(reading.max_target_length, Infinity, config.maxLength, 'data.max_target_length');
  checkRoom('max_target_length', longest, context);
  return longest;
}

function checkRoom(key: 'max_source_length' | 'max_target_length', length: number, context: Context): void {
  const { before, after } = context.tokenizer.frame();
  const special = before.length + after.length;
  if (length > special) return;
  throw new UserError({
    where: `data.${key}`,
    fault: `must be at least ${special + 1}, because ${special} tokens are special, got ${length}`,
    code: 'invalid_config',
  });
}

function checkIds(ids: Int32Array, { vocabSize }: Context): void {
  const beyond = ids.find((id) => id >= vocabSize);
  if (beyond === undefined) return;
  throw new UserError({
    where: 'the tokenizer',
    fault: `makes the id ${beyond}, but vocab_size in the model's config.json is ${vocabSize}`,
    hint: 'The tokenizer belongs to another model.',
    code: 'unsupported',
  });
}
