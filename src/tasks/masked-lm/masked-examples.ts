import type { TextFile } from '../../input/data/text-file.ts';
import { type Batch, collate } from '../../input/text/batches.ts';
import { lengthsOf, SequenceBuilder, type TokenSequences } from '../../input/text/token-sequences.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import { labelledRows } from '../../program/objectives/labelled-rows.ts';
import { type MaskingVocabulary, maskTokens } from '../../program/objectives/mask-tokens.ts';
import { modelFeeds } from '../../program/objectives/model-inputs.ts';
import { concatenated } from '../../support/arrays.ts';
import { Random } from '../../support/random.ts';
import { UserError } from '../../support/user-error.ts';
import { checkVocabulary, encodeFiles, SequenceFiles } from '../language/language-encoder.ts';
import type { EncodingContext } from '../task-definition.ts';
import type { MaskedData } from './data-section.ts';

type Context = EncodingContext<MaskedData>;

/** Masks a batch in place. Returns its labels, [batch, length]. */
export type Mask = (batch: Batch, examples: Int32Array, number: number) => Int32Array;

/** Draws new masks for every batch of a run. */
export function byBatch(context: Context): Mask {
  const vocabulary = vocabularyOf(context);
  return ({ inputIds, attentionMask, length }, _, number) => {
    const random = new Random(context.seed, 'masking', number);
    return maskTokens(
      { ids: inputIds, attentionMask, length },
      { random, settings: context.reading, vocabulary },
    );
  };
}

/** Masks an example in the same way in every evaluation of every run, so that scores are comparable. */
export function byExample(context: Context): Mask {
  const vocabulary = vocabularyOf(context);
  return ({ inputIds, attentionMask, length }, examples) => {
    const labels = new Int32Array(inputIds.length);
    examples.forEach((example, row) => {
      const [start, end] = [row * length, (row + 1) * length];
      const [ids, mask] = [inputIds.subarray(start, end), attentionMask.subarray(start, end)];
      const random = new Random(0, 'evaluation masking', example);
      labels.set(
        maskTokens({ ids, attentionMask: mask, length }, { random, settings: context.reading, vocabulary }),
        start,
      );
    });
    return labels;
  };
}

function vocabularyOf({ tokenizer, vocabSize }: Context): MaskingVocabulary {
  const maskId = tokenizer.idOf('mask_token');
  if (maskId === undefined) {
    throw new UserError({
      where: 'the tokenizer',
      fault: 'has no mask token (mask_token in tokenizer_config.json)',
      code: 'unsupported',
    });
  }
  return {
    maskId,
    vocabSize: Math.min(vocabSize, tokenizer.vocabSize),
    specialIds: tokenizer.specialIds,
    wordStarts: tokenizer.wordStarts(),
  };
}

/** Builds blocks of texts with masked tokens. */
export function maskedExamples(files: readonly TextFile[], context: Context, mask: Mask): ExampleSet {
  const { tokenizer, maxLength } = context;
  const { before, after } = tokenizer.frame();
  const special = before.length + after.length;
  if (maxLength <= special) {
    throw new UserError({
      where: 'data.max_length',
      fault: `must be at least ${special + 1}, because ${special} tokens are special, got ${maxLength}`,
      code: 'invalid_config',
    });
  }
  const { blocks, rows } = encode(files, context, maxLength - special);
  checkVocabulary(blocks, context.vocabSize);
  const encoding = (block: number) => {
    const inputIds = concatenated(
      before,
      blocks.tokens.subarray(blocks.starts[block], blocks.starts[block + 1]),
      after,
    );
    return { inputIds, tokenTypeIds: new Int32Array(inputIds.length), truncated: false };
  };
  return {
    lengths: lengthsOf(blocks).map((length) => length + special),
    truncated: 0,
    rows,
    batch(chosen, number) {
      const batch = collate(Array.from(chosen, encoding), tokenizer.padId);
      const labels = labelledRows(mask(batch, chosen, number), batch.batch, batch.length, false);
      return { feeds: { ...modelFeeds(batch), ...labels }, weight: labels.labels!.data.length };
    },
  };
}

function encode(
  files: readonly TextFile[],
  { tokenizer, reading, onProgress }: Context,
  room: number,
): { blocks: TokenSequences; rows: Int32Array } {
  const builder = new SequenceBuilder(room);
  const origins = new SequenceFiles();
  encodeFiles(
    files,
    { sample_by: reading.sample_by, text: reading.text ?? 'text' },
    (row, report, file) => {
      const ids = 'text' in row ? tokenizer.ids(row.text, report) : new Int32Array();
      if (ids.length === 0) return { fault: 'has no tokens' };
      builder.addBlocks(ids, 1);
      origins.note(builder, file);
      return undefined;
    },
    onProgress,
  );
  return { blocks: builder.build(), rows: origins.all };
}
