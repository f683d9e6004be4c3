import type { TextFile } from '../../input/data/text-file.ts';
import type { Batch } from '../../input/text/batches.ts';
import { lengthsOf, SequenceBuilder, type TokenSequences } from '../../input/text/token-sequences.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import { type Texts, textsOf } from '../../program/modalities/texts.ts';
import { labelledRows } from '../../program/objectives/labelled-rows.ts';
import { maskTokens } from '../../program/objectives/mask-tokens.ts';
import { modelFeeds } from '../../program/objectives/model-inputs.ts';
import { Random } from '../../support/random.ts';
import { encodeFiles, SequenceFiles } from '../language/language-encoder.ts';
import type { EncodingContext } from '../task-definition.ts';
import type { MaskedData } from './data-section.ts';

type Context = EncodingContext<MaskedData>;

/** Masks a batch in place. Returns its labels, [batch, length]. */
export type Mask = (batch: Batch, examples: Int32Array, number: number) => Int32Array;

/** Draws new masks for every batch of a run. */
export function byBatch(context: Context): Mask {
  const vocabulary = textsOf(context.modality).masking();
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
  const vocabulary = textsOf(context.modality).masking();
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

/** Builds blocks of texts with masked tokens. */
export function maskedExamples(files: readonly TextFile[], context: Context, mask: Mask): ExampleSet {
  const texts = textsOf(context.modality);
  const room = texts.roomIn(texts.maxLength, 'max_length');
  const { blocks, rows } = encode(files, context, texts, room);
  texts.checkIds(blocks.tokens);
  const encoding = (block: number) =>
    texts.framed(blocks.tokens.subarray(blocks.starts[block], blocks.starts[block + 1]));
  return {
    lengths: lengthsOf(blocks).map((length) => length + texts.maxLength - room),
    truncated: 0,
    rows,
    batch(chosen, number) {
      const batch = texts.padded(Array.from(chosen, encoding));
      const labels = labelledRows(mask(batch, chosen, number), batch.batch, batch.length, false);
      return { feeds: { ...modelFeeds(batch), ...labels }, weight: labels.labels!.data.length };
    },
  };
}

function encode(
  files: readonly TextFile[],
  { reading, onProgress }: Context,
  texts: Texts,
  room: number,
): { blocks: TokenSequences; rows: Int32Array } {
  const builder = new SequenceBuilder(room);
  const origins = new SequenceFiles();
  encodeFiles(
    files,
    { sample_by: reading.sample_by, text: reading.text ?? 'text' },
    (row, report, file) => {
      const ids = 'text' in row ? texts.ids(row.text, report) : new Int32Array();
      if (ids.length === 0) return { fault: 'has no tokens' };
      builder.addBlocks(ids, 1);
      origins.note(builder, file);
      return undefined;
    },
    onProgress,
  );
  return { blocks: builder.build(), rows: origins.all };
}
