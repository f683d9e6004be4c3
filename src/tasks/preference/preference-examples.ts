import type { RowProblem } from '../../input/data/rows.ts';
import { RowProblems } from '../../input/data/rows.ts';
import { planEvaluation } from '../../input/text/batches.ts';
import { BadConversation } from '../../input/text/chat/chat-template.ts';
import { commonPrefix, type LearntIds } from '../../input/text/learnt-ids.ts';
import type { PackedItems } from '../../input/text/pack.ts';
import { SequenceBuilder } from '../../input/text/token-sequences.ts';
import { checkFinite } from '../../program/check-finite.ts';
import type { ExampleSet, RowModel } from '../../program/example-set.ts';
import { requireTexts, type Texts } from '../../program/modalities/texts.ts';
import { labeledRows } from '../../program/objectives/labeled-rows.ts';
import { modelFeeds } from '../../program/objectives/model-inputs.ts';
import { packedBatch, rowLength } from '../../program/objectives/packed-batch.ts';
import { REFERENCE } from '../../program/objectives/preference-model.ts';
import { dealNumbers } from '../../program/parallel/deal.ts';
import type { EncodingContext } from '../prediction.ts';
import type { PreferenceData, PreferenceRow } from './preference-rows.ts';

/**
 * Builds an example for each row: the prompt with the chosen answer, and the prompt with the rejected one, as two documents.
 *
 * @throws UserError with the lines of rows from which nothing can be learned
 */
export function preferenceExamples(
  rows: readonly PreferenceRow[],
  { modality, prepared, onProgress }: EncodingContext<PreferenceData>,
): ExampleSet {
  const texts = requireTexts(modality);
  const problems = new Map<string, RowProblems>();
  const builder = new SequenceBuilder(texts.maxLength);
  rows.forEach((row, i) => {
    const problem = addRow(row, texts, builder);
    const ofFile = problems.get(row.fileName) ?? new RowProblems(row.fileName);
    problems.set(row.fileName, ofFile);
    if (problem) ofFile.add(row.line, problem);
    onProgress?.((i + 1) / rows.length);
  });
  for (const ofFile of problems.values()) ofFile.throwIfAny();
  return answerPairs(builder, texts, prepared);
}

/** Examples of sequences, two for each. */
export function answerPairs(
  builder: SequenceBuilder,
  texts: Texts,
  prepared?: readonly Float32Array[],
): ExampleSet {
  const sequences = builder.build();
  texts.checkIds(sequences.tokens);
  const count = builder.count / 2;
  const pairs: PackedItems = {
    items: Int32Array.from({ length: 2 * count }, (_, i) => i),
    starts: Int32Array.from({ length: count + 1 }, (_, i) => 2 * i),
  };
  return {
    lengths: Int32Array.from({ length: count }, (_, i) => rowLength(sequences.starts, pairs, i)),
    truncated: sequences.truncated,
    batch(chosen) {
      const batch = packedBatch(sequences, pairs, chosen, texts.padId);
      const reference = Float32Array.from(
        Array.from(chosen, (i) => [...(prepared?.[i]?.subarray(0, 2) ?? [0, 0])]).flat(),
      );
      return {
        feeds: {
          ...modelFeeds(batch),
          ...labeledRows(batch.labels, batch.batch, batch.length, true),
          [REFERENCE]: { data: reference, dims: [chosen.length, 2] },
        },
        weight: chosen.length,
      };
    },
  };
}

/** Adds both answers of a row. Returns a problem instead if nothing can be learned from it. */
function addRow(row: PreferenceRow, texts: Texts, builder: SequenceBuilder): RowProblem | undefined {
  try {
    const pair = encodePair(row, texts);
    const [chosen, rejected] = pair;
    if (String(chosen.ids) === String(rejected.ids))
      return { fault: 'has two equal answers', hint: 'Remove such rows.' };
    const fits = pair.map(({ learnt }) => learnt.subarray(0, texts.maxLength).indexOf(1, 1) >= 0);
    if (fits.every(Boolean)) for (const one of pair) builder.addCut(one);
    else
      return {
        fault: `has an answer that is empty or begins after data.max_length (${texts.maxLength})`,
        hint: 'Remove such rows, or raise data.max_length.',
      };
    return undefined;
  } catch (error) {
    if (!(error instanceof BadConversation)) throw error;
    return { fault: `does not fit the chat template: ${error.message}` };
  }
}

/** The tokens of both answers. They are learned from the first token on which the prompt and either answer differ, as in TRL. */
function encodePair(row: PreferenceRow, texts: Texts): readonly [LearntIds, LearntIds] {
  const prompt = askedIds(row, texts);
  const idsOf = (answer: PreferenceRow['chosen']) =>
    typeof answer === 'string'
      ? texts.completed(row.prompt as string, answer).ids
      : texts.ids(texts.render([...(row.prompt as []), ...answer], false));
  const [chosen, rejected] = [idsOf(row.chosen), idsOf(row.rejected)];
  const start = Math.min(commonPrefix(prompt, chosen), commonPrefix(prompt, rejected));
  const learntFrom = (ids: Int32Array) => ({ ids, learnt: new Uint8Array(ids.length).fill(1, start) });
  return [learntFrom(chosen), learntFrom(rejected)];
}

/** The tokens of a row's prompt, up to where an answer begins. */
export function askedIds({ prompt }: PreferenceRow, texts: Texts): Int32Array {
  return typeof prompt === 'string' ? texts.begun(prompt) : texts.ids(texts.render(prompt, true));
}

/**
 * Computes the log-probabilities of both answers of each example.
 *
 * @throws NotFinite if one is not finite
 */
export async function answerLikelihoods(
  { program, values }: RowModel,
  set: ExampleSet,
  batchSize: number,
): Promise<Float32Array[]> {
  const batches = planEvaluation(set, batchSize);
  const found = await dealNumbers(program.communicator, batches.length, (number) =>
    program.vectors(values, set.batch(batches[number]!, number).feeds),
  );
  const rows = new Array<Float32Array>(set.lengths.length);
  for (const [number, batch] of batches.entries())
    batch.forEach((example, row) => {
      rows[example] = found[number]!.slice(2 * row, 2 * row + 2);
    });
  checkFinite(rows);
  return rows;
}
