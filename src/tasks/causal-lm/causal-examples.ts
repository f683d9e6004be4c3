import type { LanguageRow } from '../../data/text/language-rows.ts';
import type { TextFile } from '../../data/text-file.ts';
import { labelledRows } from '../../objectives/labelled-rows.ts';
import { modelFeeds } from '../../objectives/model-inputs.ts';
import { packedBatch, rowLength } from '../../objectives/packed-batch.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import { BadConversation } from '../../text/chat/bad-conversation.ts';
import { conversationIds } from '../../text/chat/conversation-ids.ts';
import { documentIds, promptIds } from '../../text/document-ids.ts';
import { allLearnt, type LearntIds } from '../../text/learnt-ids.ts';
import { pack, unpacked } from '../../text/pack.ts';
import { lengthsOf, SequenceBuilder, type TokenSequences } from '../../text/token-sequences.ts';
import { checkVocabulary, encodeFiles } from '../language/language-encoder.ts';
import type { EncodingContext } from '../task-definition.ts';
import type { CausalData } from './data-section.ts';

type Context = EncodingContext<CausalData>;

/** Rows of one or several packed documents; each token predicts the next. */
export function causalExamples(files: readonly TextFile[], context: Context): ExampleSet {
  const sequences = encode(files, context);
  checkVocabulary(sequences, context.vocabSize);
  const lengths = lengthsOf(sequences);
  const packing = context.reading.packing ? pack(lengths, context.maxLength) : unpacked(lengths.length);
  const rows = packing.starts.length - 1;
  return {
    lengths: Int32Array.from({ length: rows }, (_, row) => rowLength(sequences.starts, packing, row)),
    truncated: sequences.truncated,
    batch(chosen) {
      const batch = packedBatch(sequences, packing, chosen, context.tokenizer.padId);
      const labels = labelledRows(batch.labels, batch.batch, batch.length, true);
      return { feeds: { ...modelFeeds(batch), ...labels }, weight: labels.labels.data.length };
    },
  };
}

/** The tokens that the examples learn to predict, by example. */
export function* learntTokens({ lengths, batch }: ExampleSet): Generator<Int32Array> {
  for (const example of lengths.keys())
    yield batch(Int32Array.of(example), 0).feeds.labels.data as Int32Array;
}

function encode(files: readonly TextFile[], context: Context): TokenSequences {
  const { tokenizer, maxLength, reading } = context;
  const builder = new SequenceBuilder(maxLength);
  encodeFiles(
    files,
    reading,
    (row, onProgress) => {
      if ('text' in row) {
        const ids = documentIds(tokenizer, row.text, onProgress);
        if (ids.length < MIN_TOKENS) return nothingToLearn(`the text has ${ids.length} tokens`);
        builder.addBlocks(ids, MIN_TOKENS);
        return undefined;
      }
      try {
        const example = answerIds(row, context);
        if (builder.addCut(example)) return undefined;
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
  return builder.build();
}

/** A single token has no next one to predict. */
const MIN_TOKENS = 2;

function answerIds(
  row: Exclude<LanguageRow, { text: string }>,
  { tokenizer, chatTemplate, reading }: Context,
): LearntIds {
  const whole = !reading.completion_only_loss;
  if ('prompt' in row) {
    const learnt = promptIds(tokenizer, row.prompt, row.completion);
    return whole ? allLearnt(learnt.ids) : learnt;
  }
  if (whole) return allLearnt(tokenizer.ids(chatTemplate().render(row.messages, false)));
  return conversationIds(tokenizer, chatTemplate(), row.messages);
}

function nothingToLearn(reason: string) {
  return {
    fault: `has nothing to learn: ${reason}`,
    hint: 'Remove such rows, or raise data.max_length if answers begin after it.',
  };
}
