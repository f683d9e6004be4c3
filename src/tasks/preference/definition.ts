import { groupEqualTexts } from '../../input/data/split-rows.ts';
import { SequenceBuilder } from '../../input/text/token-sequences.ts';
import type { Evaluation, RowModel, Scores } from '../../program/example-set.ts';
import { generationSettings } from '../../program/generation/generation-settings.ts';
import { requireTexts, type Texts } from '../../program/modalities/texts.ts';
import { preferenceModel } from '../../program/objectives/preference-model.ts';
import { meanInterval, shareInterval } from '../../scores/metrics/score-interval.ts';
import { concatenated } from '../../support/arrays.ts';
import { largest, mean } from '../../support/numbers.ts';
import { DECODER_WORDS } from '../language/language-task.ts';
import { withGenerator, writeTexts } from '../language/write-texts.ts';
import type { EncodingContext } from '../prediction.ts';
import { withFlags } from '../table-columns.ts';
import type { TaskDefinition } from '../task-definition.ts';
import { answerLikelihoods, answerPairs, askedIds, preferenceExamples } from './preference-examples.ts';
import {
  type PreferenceData,
  type PreferenceRow,
  preferenceDataSchema,
  preferenceRows,
} from './preference-rows.ts';

type Context = EncodingContext<PreferenceData>;
type Rows = readonly PreferenceRow[];

/** Teaches a decoder which of two answers people prefer. */
export const preference: TaskDefinition<PreferenceData, Rows, never, typeof preferenceDataSchema> = {
  data: preferenceDataSchema,
  guess: {
    ofColumns(columns) {
      const names = columns.map(({ name }) => name);
      return names.includes('chosen') && names.includes('rejected')
        ? 'rows have "chosen" and "rejected"'
        : undefined;
    },
    plain: 'prefer the chosen answers',
  },
  training: {
    // A pair is two sequences.
    batchSize: { train: 4, eval: 4 },
    keepsHead: true,
    // At the rate of other language models, a model moves far from what it was (bench/log/2026-12-02-preference.md).
    rateShare: 0.2,
    modelToTry: 'HuggingFaceTB/SmolLM2-135M-Instruct',
  },
  scores: { metrics: ['accuracy', 'reward_accuracy', 'reward_margin', 'kl', 'loss'] },
  files: {
    countRows: (rows) => rows.length,
    takesFolders: false,
    read: preferenceRows,
    join: (parts) => parts.flat(),
    detected: ([row]) => (typeof row!.prompt === 'string' ? {} : { messages: true }),
    splittable: (rows) => ({
      texts: rows.map(({ prompt }) => [JSON.stringify(prompt)]),
      pick: (numbers) => numbers.map((number) => rows[number]!),
    }),
    withFlags: (reading, flags) => withFlags(preferenceDataSchema, reading, flags, 'pairs of answers'),
  },
  preparation: { name: 'reference 1', compute: computeReference },
  build: (_, { beta = 0.1 } = {}) => preferenceModel({ beta }),
  examples: preferenceExamples,
  evaluation: preferenceEvaluation,
  recognizes: () => undefined,
  words: {
    ...DECODER_WORDS,
    name: 'preference tuning',
    trainedFor: () => 'answers that people prefer',
  },
};

/** Number of prompts that the reference answers, and the maximum length of an answer. More would take longer than an evaluation. */
const ANSWERED = 16;
const MAX_ANSWER = 32;
const BATCH_SIZE = 4;

/**
 * Computes the reference's log-probabilities of both answers of each row. For some rows they are followed by that of an
 * answer which the reference draws, and by its tokens, to measure how far the model moves.
 */
async function computeReference(rows: Rows, context: Context, start: RowModel): Promise<Float32Array[]> {
  const likelihoods = await answerLikelihoods(start, preferenceExamples(rows, context), BATCH_SIZE);
  const texts = requireTexts(context.modality);
  const prompts = rows.slice(0, ANSWERED).map((row) => askedIds(row, texts));
  const { eos_token_id = texts.endId } = generationSettings(context.generationFiles());
  const config = {
    do_sample: true,
    temperature: 1,
    top_k: 0,
    top_p: 1,
    num_beams: 1,
    repetition_penalty: 1,
    max_new_tokens: Math.max(
      1,
      Math.min(MAX_ANSWER, texts.maxLength - largest(prompts.map(({ length }) => length))),
    ),
    pad_token_id: texts.padId,
    ...(eos_token_id !== undefined && { eos_token_id: [eos_token_id].flat() }),
  };
  const written = await withGenerator(start.program, start.values, context, (generator) =>
    writeTexts(generator, start.program.communicator, prompts, config, ANSWERED),
  );
  const answers = written.map(({ ids }) => ids);
  const drawn = await likelihoodsOfDrawn(start, rows, answers, texts);
  return likelihoods.map((both, i) =>
    i < answers.length ? Float32Array.from([...both, drawn[i]!, ...answers[i]!]) : both,
  );
}

/** The log-probability of an answer to each of the first prompts. */
async function likelihoodsOfDrawn(
  model: RowModel,
  rows: Rows,
  answers: readonly Int32Array[],
  texts: Texts,
): Promise<number[]> {
  const builder = new SequenceBuilder(Number.POSITIVE_INFINITY);
  for (const [i, ids] of answers.entries()) {
    const prompt = askedIds(rows[i]!, texts);
    const whole = concatenated(prompt, ids);
    const learnt = new Uint8Array(whole.length).fill(1, prompt.length);
    builder.addCut({ ids: whole, learnt });
    // The model reads two documents at a time.
    if (i === answers.length - 1 && i % 2 === 0) builder.addCut({ ids: whole, learnt });
  }
  const found = await answerLikelihoods(model, answerPairs(builder, texts), BATCH_SIZE);
  return found.flatMap((pair) => [...pair]);
}

/**
 * Scores a model by its preferences. `eval_accuracy` is the share of pairs whose chosen answer it finds more likely. The
 * other scores compare it with the reference of the run: a reward is β times the logarithm of how much more likely than the
 * reference the model finds an answer. `eval_kl` is in nats per token, of answers that the reference drew.
 */
function preferenceEvaluation(rows: Rows, context: Context, batchSize: number): Evaluation {
  const { prepared, reading } = context;
  const examples = preferenceExamples(rows, context);
  const groups = groupEqualTexts(rows.map(({ prompt }) => [JSON.stringify(prompt)]));
  return {
    examples,
    output: 'loss',
    async run(program, values, watch): Promise<Scores> {
      const likelihoods = await answerLikelihoods({ program, values }, examples, batchSize);
      const each: Record<string, number[]> = {
        accuracy: likelihoods.map(([chosen, rejected]) => Number(chosen! > rejected!)),
      };
      if (prepared) {
        const margins = likelihoods.map(([chosen, rejected], i) => {
          const [ofChosen, ofRejected] = prepared[i]!;
          return reading.beta * (chosen! - ofChosen! - (rejected! - ofRejected!));
        });
        each.reward_accuracy = margins.map((margin) => Number(margin > 0));
        each.reward_margin = margins;
        each.loss = margins.map((margin) => Math.max(0, -margin) + Math.log1p(Math.exp(-Math.abs(margin))));
        const drawn = prepared.filter(({ length }) => length > 3);
        const answers = drawn.map((vector) => Int32Array.from(vector.subarray(3)));
        const now = await likelihoodsOfDrawn(
          { program, values },
          rows,
          answers,
          requireTexts(context.modality),
        );
        each.kl = drawn.map(([, , before], i) => (before! - now[i]!) / answers[i]!.length);
      }
      watch?.onCertainty?.({
        groups,
        interval(score) {
          const values = each[score];
          if (!values || values.length !== groups.length) return undefined;
          return score.endsWith('accuracy') ? shareInterval(values, groups) : meanInterval(values, groups);
        },
      });
      return Object.fromEntries(Object.entries(each).map(([name, values]) => [`eval_${name}`, mean(values)]));
    },
  };
}
