import { z } from 'zod';
import type { LanguageRow } from '../../input/data/text/language-rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { BadConversation } from '../../input/text/chat/chat-template.ts';
import { allLearnt, type LearntIds } from '../../input/text/learnt-ids.ts';
import { pack, unpacked } from '../../input/text/pack.ts';
import { measureLengths, SequenceBuilder, type TokenSequences } from '../../input/text/token-sequences.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import { generationConfigSchema } from '../../program/generation/generation-config.ts';
import { requireTexts, type Texts } from '../../program/modalities/texts.ts';
import { labeledRows } from '../../program/objectives/labeled-rows.ts';
import { modelFeeds } from '../../program/objectives/model-inputs.ts';
import { packedBatch, rowLength } from '../../program/objectives/packed-batch.ts';
import type { Problem } from '../../support/user-error.ts';
import { encodeFiles, SequenceFiles } from '../language/language-encoder.ts';
import { languageData } from '../language/language-task.ts';
import type { EncodingContext } from '../prediction.ts';

const nonEmpty = z.string().min(1);

/** Data of a causal language model. Names as in TRL's `SFTConfig` where it has them. */
export const causalDataSchema = z.strictObject({
  ...languageData,
  /** JSON key of the prompt. Default: `prompt`. */
  prompt: nonEmpty.optional(),
  /** JSON key of the completion. Default: `completion`. */
  completion: nonEmpty.optional(),
  /** JSON key of a conversation's messages. Default: `messages`. A row may also have `tools`. */
  messages: nonEmpty.optional(),
  /**
   * JSON key of a list of completions, for multiple choice. The model is trained on the correct one. `accuracy` is the
   * share of rows in which the model finds the correct completion most likely.
   */
  choices: nonEmpty.optional(),
  /** JSON key of the correct choice: its number from 0, or its text. Default: `answer`. */
  answer: nonEmpty.optional(),
  /** Generate and score completions in evaluations: `exact_match`, `valid_json` and your own metrics. */
  predict_with_generate: z.boolean().default(false),
  /** Generation settings, such as `max_new_tokens`. Default: greedy, up to the longest reference completion. */
  generation_config: z.strictObject(generationConfigSchema.partial().shape).optional(),
  /** Train on completions and the assistant's turns only. */
  completion_only_loss: z.boolean().default(true),
  /**
   * Pack several documents into a row of `max_length` tokens. They do not attend to each other. It saves time with many
   * short documents, and leaves few steps with few.
   */
  packing: z.boolean().default(false),
});

export type CausalData = z.output<typeof causalDataSchema>;

/** Finds problems of the section, such as keys for different row formats. */
export function contentProblems(data: CausalData): Problem[] {
  const { text, prompt, completion, messages, choices, answer } = data;
  const kinds = {
    text: text !== undefined,
    'prompt and completion': completion !== undefined || (prompt !== undefined && choices === undefined),
    'prompt and choices': choices !== undefined || answer !== undefined,
    messages: messages !== undefined,
  };
  const named = Object.entries(kinds).flatMap(([kind, isNamed]) => (isNamed ? [kind] : []));
  if (named.length < 2) return [];
  const fault = `mixes the keys of ${named.join(' and of ')}`;
  const hint = 'Keep one: text, prompt and completion, prompt and choices, or messages.';
  return [{ path: ['data'], fault, hint }];
}

type Context = EncodingContext<CausalData>;

/** Builds rows from packed documents. In each row, every token predicts the next. */
export function causalExamples(files: readonly TextFile[], context: Context): ExampleSet {
  const texts = requireTexts(context.modality);
  const { sequences, origins } = encode(files, context, texts);
  texts.checkIds(sequences.tokens);
  const lengths = measureLengths(sequences);
  const packing = context.reading.packing
    ? pack(lengths, context.modality.maxLength)
    : unpacked(lengths.length);
  const rows = packing.starts.length - 1;
  return {
    lengths: Int32Array.from({ length: rows }, (_, row) => rowLength(sequences.starts, packing, row)),
    truncated: sequences.truncated,
    rows: Int32Array.from({ length: rows }, (_, row) => origins[packing.items[packing.starts[row]!]!]!),
    batch(chosen) {
      const batch = packedBatch(sequences, packing, chosen, texts.padId);
      const labels = labeledRows(batch.labels, batch.batch, batch.length, true);
      return { feeds: { ...modelFeeds(batch), ...labels }, weight: labels.labels!.data.length };
    },
  };
}

/** Yields, for each example, the tokens that a model learns to predict. */
export function* learntTokens({ lengths, batch }: ExampleSet): Generator<Int32Array> {
  for (const example of lengths.keys())
    yield batch(Int32Array.of(example), 0).feeds.labels!.data as Int32Array;
}

/** Encodes files. `origins` has, for each sequence, the index of its file. */
function encode(
  files: readonly TextFile[],
  context: Context,
  texts: Texts,
): { sequences: TokenSequences; origins: Int32Array } {
  const { reading } = context;
  const { maxLength } = texts;
  const builder = new SequenceBuilder(maxLength);
  const origins = new SequenceFiles();
  encodeFiles(
    files,
    reading,
    (row, onProgress, file) => {
      if ('text' in row) {
        const ids = texts.document(row.text, onProgress);
        if (ids.length < MIN_TOKENS) return nothingToLearn(`the text has ${ids.length} tokens`);
        builder.addBlocks(ids, MIN_TOKENS);
        origins.note(builder, file);
        return undefined;
      }
      try {
        const example = answerIds(row, texts, !reading.completion_only_loss);
        if (builder.addCut(example)) {
          origins.note(builder, file);
          return undefined;
        }
        const isSilent = example.learnt.indexOf(1, 1) < 0;
        return nothingToLearn(
          isSilent ? 'it has no answer' : `its answers begin after data.max_length (${maxLength})`,
        );
      } catch (error) {
        if (!(error instanceof BadConversation)) throw error;
        return { fault: `does not fit the chat template: ${error.message}` };
      }
    },
    context.onProgress,
  );
  return { sequences: builder.build(), origins: origins.all };
}

/** Minimum number of tokens. A single token has no next token to predict. */
const MIN_TOKENS = 2;

function answerIds(row: Exclude<LanguageRow, { text: string }>, texts: Texts, whole: boolean): LearntIds {
  if (!('prompt' in row)) return texts.conversation(row.messages, whole, row.tools);
  const learnt = texts.completed(row.prompt, row.completion);
  return whole ? allLearnt(learnt.ids) : learnt;
}

function nothingToLearn(reason: string) {
  return {
    fault: `has nothing to learn: ${reason}`,
    hint: 'Remove such rows, or raise data.max_length if answers begin after it.',
  };
}
