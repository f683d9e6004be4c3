import { z } from 'zod';
import type { TextFile } from '../../input/data/text-file.ts';
import type { Batch } from '../../input/text/batches.ts';
import { measureLengths, SequenceBuilder, type TokenSequences } from '../../input/text/token-sequences.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import { MASK_IN_PYTHON, textsInPython } from '../../program/modalities/in-python.ts';
import { requireTexts, type Texts } from '../../program/modalities/texts.ts';
import { labeledRows } from '../../program/objectives/labeled-rows.ts';
import { maskTokens } from '../../program/objectives/mask-tokens.ts';
import { modelFeeds } from '../../program/objectives/model-inputs.ts';
import { tokenModel } from '../../program/objectives/token-model.ts';
import { Random } from '../../support/random.ts';
import { type Problem, shown } from '../../support/user-error.ts';
import { encodeFiles, SequenceFiles } from '../language/language-encoder.ts';
import {
  hasWordHead,
  LANGUAGE,
  languageData,
  lossEvaluation,
  readingWithFlags,
} from '../language/language-task.ts';
import type { EncodingContext } from '../prediction.ts';
import type { TaskDefinition } from '../task-definition.ts';

const share = z.number().min(0).max(1);

/** Data of a masked language model. Names as in transformers' `DataCollatorForLanguageModeling`. */
export const maskedDataSchema = z.strictObject({
  ...languageData,
  /** Share of tokens to predict. */
  mlm_probability: z.number().gt(0).lt(1).default(0.15),
  /** Share of the predicted tokens that are replaced by the mask token. */
  mask_replace_prob: share.default(0.8),
  /** Share of the predicted tokens that are replaced by a random token. The rest stay unchanged. */
  random_replace_prob: share.default(0.1),
  /** Mask all tokens of a word together. */
  whole_word_mask: z.boolean().default(false),
});

export type MaskedData = z.output<typeof maskedDataSchema>;

/** Predicts masked tokens in blocks of texts. */
export const maskedLm: TaskDefinition<MaskedData, readonly TextFile[], never, typeof maskedDataSchema> = {
  ...LANGUAGE,
  data: maskedDataSchema,
  guess: { keys: [{ text: 'text' }], ofTexts: true, plain: 'fill in masked words' },
  problems: maskingProblems,
  build: () => tokenModel('MASKED_LM'),
  files: {
    ...LANGUAGE.files,
    splittable: (files, { sample_by, text = 'text' }) =>
      LANGUAGE.files.splittable(files, { sample_by, text }),
    withFlags: (reading, flags) => readingWithFlags('masked_lm', maskedDataSchema, reading, flags),
  },
  examples: (files, context) => maskedExamples(files, context, byBatch(context)),
  evaluation: (files, context, batchSize) =>
    lossEvaluation(maskedExamples(files, context, byExample(context)), batchSize),
  recognizes: (model) =>
    hasWordHead(model, model.definition.heads.MASKED_LM?.architecture) ? { labels: [], data: {} } : undefined,
  words: {
    name: 'masked language modelling',
    trainedFor: () => 'masked language modelling',
    hub: { pipeline: 'fill-mask', name: 'Fill-Mask' },
    use: () => ({ command: 'adalora eval . texts.txt', explanation: 'loss and perplexity' }),
    python: ({ max_length }) => ({
      autoModel: 'AutoModelForMaskedLM',
      lines: [textsInPython(`f"Some ${MASK_IN_PYTHON} text"`, max_length), 'logits = model(**inputs).logits'],
    }),
    instead: 'Score it with adalora eval.',
  },
};

/** Finds shares that sum to more than 1. */
function maskingProblems({ mask_replace_prob, random_replace_prob }: MaskedData): Problem[] {
  const sum = mask_replace_prob + random_replace_prob;
  if (sum <= 1) return [];
  const fault = `and mask_replace_prob sum to ${shown(sum)}`;
  return [{ path: ['data', 'random_replace_prob'], fault, hint: 'Their sum must be at most 1.' }];
}

type Context = EncodingContext<MaskedData>;

/** Masks a batch in place. Returns its labels, [batch, length]. */
type Mask = (batch: Batch, examples: Int32Array, number: number) => Int32Array;

/** Draws new masks for every batch of a run. */
function byBatch(context: Context): Mask {
  const vocabulary = requireTexts(context.modality).masking();
  return ({ inputIds, attentionMask, length }, _, number) => {
    const random = new Random(context.seed, 'masking', number);
    return maskTokens(
      { ids: inputIds, attentionMask, length },
      { random, settings: context.reading, vocabulary },
    );
  };
}

/** Masks an example in the same way in every evaluation of every run, so that scores are comparable. */
function byExample(context: Context): Mask {
  const vocabulary = requireTexts(context.modality).masking();
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
function maskedExamples(files: readonly TextFile[], context: Context, mask: Mask): ExampleSet {
  const texts = requireTexts(context.modality);
  const room = texts.roomIn(texts.maxLength, 'max_length');
  const { blocks, rows } = encode(files, context, texts, room);
  texts.checkIds(blocks.tokens);
  const encoding = (block: number) =>
    texts.framed(blocks.tokens.subarray(blocks.starts[block], blocks.starts[block + 1]));
  return {
    lengths: measureLengths(blocks).map((length) => length + texts.maxLength - room),
    truncated: 0,
    rows,
    batch(chosen, number) {
      const batch = texts.padded(Array.from(chosen, encoding));
      const labels = labeledRows(mask(batch, chosen, number), batch.batch, batch.length, false);
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
