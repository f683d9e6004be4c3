import type { LanguageRow } from '../../input/data/text/language-rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import type { Evaluation } from '../../program/example-set.ts';
import { textsOf } from '../../program/modalities/texts.ts';
import { InvalidData } from '../../support/user-error.ts';
import { encodeFiles } from '../language/language-encoder.ts';
import { lossEvaluation } from '../language/loss-evaluation.ts';
import type { EncodingContext } from '../task-definition.ts';
import { causalExamples } from './causal-examples.ts';
import { choiceScores } from './choice-scores.ts';
import type { CausalData } from './data-section.ts';
import { writtenScores } from './written-scores.ts';

/** A prompt with its completion and, for multiple choice, the other choices. */
export interface PromptRow {
  prompt: string;
  completion: string;
  choices?: readonly string[];
}

/**
 * Scores a decoder by its loss. With `data.choices`, also by the share of rows in which the correct choice is the most
 * likely. With `data.predict_with_generate`, also by the completions that it generates.
 */
export function causalEvaluation(
  files: readonly TextFile[],
  context: EncodingContext<CausalData>,
  batchSize: number,
): Evaluation {
  const byLoss = lossEvaluation(causalExamples(files, context), batchSize);
  const { choices, predict_with_generate: writes } = context.reading;
  if (choices === undefined && !writes) return byLoss;
  const rows = promptRows(files, context);
  return {
    ...byLoss,
    async run(program, values, watch) {
      const scores = await byLoss.run(program, values);
      if (choices !== undefined) Object.assign(scores, await choiceScores(rows, context, program, values));
      if (writes)
        Object.assign(scores, await writtenScores(rows, context, { batchSize, program, values, watch }));
      return scores;
    },
  };
}

/**
 * Prompts with their completions. The last answer of a conversation is the completion. The messages before it are the
 * prompt.
 */
function promptRows(
  files: readonly TextFile[],
  { reading, modality }: EncodingContext<CausalData>,
): PromptRow[] {
  const rows: PromptRow[] = [];
  const add = (row: LanguageRow) => {
    if ('prompt' in row) rows.push(row);
    if (!('messages' in row)) return undefined;
    const last = row.messages.at(-1);
    if (last?.role !== 'assistant' || typeof last.content !== 'string') return undefined;
    const prompt = textsOf(modality).render(row.messages.slice(0, -1), true);
    rows.push({ prompt, completion: last.content });
    return undefined;
  };
  encodeFiles(files, reading, add);
  if (rows.length > 0) return rows;
  throw new InvalidData({
    where: `${files[0]?.name}: data.predict_with_generate`,
    fault: 'needs rows with a prompt and a completion, or conversations that end with an answer, got texts',
  });
}
