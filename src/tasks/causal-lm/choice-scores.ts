import { unpacked } from '../../input/text/pack.ts';
import { SequenceBuilder } from '../../input/text/token-sequences.ts';
import type { Scores } from '../../program/example-set.ts';
import { textsOf } from '../../program/modalities/texts.ts';
import { labelledRows } from '../../program/objectives/labelled-rows.ts';
import { modelFeeds } from '../../program/objectives/model-inputs.ts';
import { packedBatch } from '../../program/objectives/packed-batch.ts';
import { dealNumbers } from '../../program/parallel/deal.ts';
import type { Evaluator } from '../../program/program.ts';
import { UserError } from '../../support/user-error.ts';
import type { EncodingContext } from '../task-definition.ts';
import type { PromptRow } from './causal-evaluation.ts';
import type { CausalData } from './data-section.ts';

/**
 * Scores multiple choice by the likelihood of each choice after its prompt. `eval_accuracy` compares the
 * log-likelihoods of the tokens (`acc` of lm-evaluation-harness). `eval_accuracy_norm` divides them by the length in
 * UTF-8 bytes (`acc_bytes`). The first of equally likely choices counts. A choice directly follows its prompt, and has
 * no end token.
 *
 * @throws UserError for a prompt that leaves no room for a choice
 */
export async function choiceScores(
  rows: readonly PromptRow[],
  { modality }: EncodingContext<CausalData>,
  program: Evaluator,
  values: Float32Array,
): Promise<Scores> {
  const texts = textsOf(modality);
  const { maxLength } = texts;
  const all = rows.flatMap(({ prompt, choices = [] }) => choices.map((choice) => ({ prompt, choice })));
  const scores = await dealNumbers(program.communicator, all.length, async (i) => {
    const builder = new SequenceBuilder(maxLength);
    if (!builder.addCut(texts.followed(all[i]!.prompt, all[i]!.choice)))
      throw noRoom(all[i]!.choice, maxLength);
    // One text per batch, so that the loss is the mean over the tokens of this choice only.
    const batch = packedBatch(builder.build(), unpacked(1), Int32Array.of(0), texts.padId);
    const labels = labelledRows(batch.labels, 1, batch.length, true);
    const loss = await program.loss(values, { ...modelFeeds(batch), ...labels });
    return Float32Array.of(-loss * labels.labels!.data.length);
  });
  const bytes = new TextEncoder();
  let at = 0;
  let [right, rightByByte] = [0, 0];
  for (const { choices = [], completion } of rows) {
    const likelihoods = choices.map(() => scores[at++]![0]!);
    const byByte = likelihoods.map((value, i) => value / bytes.encode(choices[i]).length);
    right += Number(choices[likeliest(likelihoods)] === completion);
    rightByByte += Number(choices[likeliest(byByte)] === completion);
  }
  return { eval_accuracy: right / rows.length, eval_accuracy_norm: rightByByte / rows.length };
}

function likeliest(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}

function noRoom(choice: string, maxLength: number): UserError {
  return new UserError({
    where: 'data.max_length',
    fault: `${maxLength} leaves no room for the choice ${JSON.stringify(choice.slice(0, 40))} after its prompt`,
    code: 'invalid_config',
  });
}
