import { groupEqualTexts } from '../../input/data/split-rows.ts';
import { foundColumns, type LanguageRow } from '../../input/data/text/language-rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { ASSISTANT } from '../../input/text/chat/chat-template.ts';
import { listCalls, readToolCalls, type ToolCall } from '../../input/text/chat/tool-calls.ts';
import { unpacked } from '../../input/text/pack.ts';
import { SequenceBuilder } from '../../input/text/token-sequences.ts';
import type { Certainty, Evaluation, EvaluationWatch, Scores } from '../../program/example-set.ts';
import { generationSettings } from '../../program/generation/generation-settings.ts';
import { requireTexts } from '../../program/modalities/texts.ts';
import { labeledRows } from '../../program/objectives/labeled-rows.ts';
import { modelFeeds } from '../../program/objectives/model-inputs.ts';
import { packedBatch } from '../../program/objectives/packed-batch.ts';
import { tokenModel } from '../../program/objectives/token-model.ts';
import { dealNumbers } from '../../program/parallel/deal.ts';
import type { Evaluator } from '../../program/program.ts';
import type { Baseline } from '../../scores/baselines/baseline.ts';
import { shareInterval } from '../../scores/metrics/score-interval.ts';
import { addUp } from '../../support/numbers.ts';
import { sortKeys } from '../../support/text.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';
import { encodeFiles } from '../language/language-encoder.ts';
import {
  DECODER_WORDS,
  hasWordHead,
  LANGUAGE,
  lossEvaluation,
  readingWithFlags,
} from '../language/language-task.ts';
import { withGenerator, writeTexts } from '../language/write-texts.ts';
import type { EncodingContext } from '../prediction.ts';
import type { TaskDefinition } from '../task-definition.ts';
import {
  type CausalData,
  causalDataSchema,
  causalExamples,
  contentProblems,
  learntTokens,
} from './causal-examples.ts';

/** Token ids, possibly in several parts; only their counts matter. */
type Tokens = Iterable<ArrayLike<number>>;

/** Predicts the next token of texts, of completions of prompts, or of an assistant's turns. */
export const causalLm: TaskDefinition<CausalData, readonly TextFile[], never, typeof causalDataSchema> = {
  data: causalDataSchema,
  guess: {
    keys: [{ text: 'text' }, { text: 'prompt', text_pair: 'completion' }],
    ofTexts: true,
    fits({ label, pair, isPrompt }) {
      if (label || pair !== 'written') return undefined;
      return { score: isPrompt ? 3 : -0.1 };
    },
    ofColumns: (columns) =>
      columns.some(({ name, nested }) => name === 'messages' && nested === 'object')
        ? 'rows have "messages"'
        : undefined,
    learns: ({ text, pair }) => `write ${pair} for ${text}`,
    plain: 'continue texts',
  },
  training: {
    ...LANGUAGE.training,
    modelToTry: 'HuggingFaceTB/SmolLM2-135M-Instruct',
  },
  problems: contentProblems,
  build: () => tokenModel('CAUSAL_LM'),
  files: {
    ...LANGUAGE.files,
    detected: ([file], reading) => foundColumns(file!.read(), file!.name, reading),
    withFlags: (reading, flags) => readingWithFlags('causal_lm', causalDataSchema, reading, flags),
  },
  examples: causalExamples,
  evaluation: causalEvaluation,
  baselines: {
    ofTokens: (train, validation, vocabSize) => [
      unigramBaseline(learntTokens(train), learntTokens(validation), vocabSize),
    ],
  },
  scores: {
    metrics: ['loss', 'perplexity', 'accuracy', 'accuracy_norm', 'exact_match', 'valid_json', 'gen_len'],
    metricsOf: ({ choices, predict_with_generate: writes }) => [
      ...LANGUAGE.scores.metrics,
      ...(choices === undefined ? [] : (['accuracy', 'accuracy_norm'] as const)),
      ...(writes ? (['exact_match', 'valid_json', 'gen_len'] as const) : []),
    ],
    tellsAnswers: ({ predict_with_generate: writes }) => writes,
  },
  recognizes(model) {
    const isOne =
      model.taskType === 'CAUSAL_LM' || hasWordHead(model, model.definition.heads.CAUSAL_LM?.architecture);
    return isOne ? { labels: [], data: {} } : undefined;
  },
  words: {
    ...DECODER_WORDS,
    name: 'causal language modelling',
    trainedFor: () => 'causal language modelling',
  },
};

/**
 * A language model that ignores the context. The probability of a token is its share of the training tokens. One is
 * added to every count, so that unseen tokens have a probability too (Laplace's rule).
 *
 * @param train the tokens that the model learns to predict
 * @param scored the tokens that it is scored on
 */
function unigramBaseline(train: Tokens, scored: Tokens, vocabSize: number): Baseline {
  const counts = new Float64Array(vocabSize).fill(1);
  let total = vocabSize;
  for (const part of train) {
    total += part.length;
    for (let i = 0; i < part.length; i++) counts[part[i]!]!++;
  }
  let [sum, tokens] = [0, 0];
  for (const part of scored) {
    tokens += part.length;
    for (let i = 0; i < part.length; i++) sum += Math.log(total / counts[part[i]!]!);
  }
  const loss = sum / tokens;
  return { name: 'a unigram model', isBlind: true, scores: { loss, perplexity: Math.exp(loss) } };
}

/**
 * Scores multiple choice by the likelihood of each choice after its prompt. `eval_accuracy` compares the
 * log-likelihoods of the tokens (`acc` of lm-evaluation-harness). `eval_accuracy_norm` divides them by the length in
 * UTF-8 bytes (`acc_bytes`). The first of equally likely choices counts. A choice directly follows its prompt, and has
 * no end token.
 *
 * @throws UserError for a prompt that leaves no room for a choice
 */
async function choiceScores(
  rows: readonly PromptRow[],
  { modality }: EncodingContext<CausalData>,
  program: Evaluator,
  values: Float32Array,
): Promise<Scores> {
  const texts = requireTexts(modality);
  const { maxLength } = texts;
  const all = rows.flatMap(({ prompt, choices = [] }) => choices.map((choice) => ({ prompt, choice })));
  const scores = await dealNumbers(program.communicator, all.length, async (i) => {
    const builder = new SequenceBuilder(maxLength);
    if (!builder.addCut(texts.followed(all[i]!.prompt, all[i]!.choice)))
      throw noRoom(all[i]!.choice, maxLength);
    // One text per batch, so that the loss is the mean over the tokens of this choice only.
    const batch = packedBatch(builder.build(), unpacked(1), Int32Array.of(0), texts.padId);
    const labels = labeledRows(batch.labels, 1, batch.length, true);
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

/**
 * Scores the completions that a decoder generates. `eval_exact_match` is the share that equals the reference, ignoring
 * surrounding white space. Calls of functions are equal if their names and arguments are. `eval_valid_json` is the share
 * that is valid JSON; in rows with tools, the share of calls that can be read. `eval_gen_len` is the mean number of tokens.
 */
async function writtenScores(
  rows: readonly PromptRow[],
  context: EncodingContext<CausalData>,
  {
    batchSize,
    program,
    values,
    watch,
    ofLoss,
  }: {
    batchSize: number;
    program: Evaluator;
    values: Float32Array;
    watch?: EvaluationWatch;
    ofLoss?: Certainty | undefined;
  },
): Promise<Scores> {
  const texts = requireTexts(context.modality);
  const prompts = rows.map(({ prompt }) => texts.begun(prompt));
  const longest = rows.reduce((most, { completion }) => Math.max(most, texts.ids(completion).length), 0);
  const { eos_token_id = texts.endId } = generationSettings(context.generationFiles());
  const config = {
    do_sample: false,
    num_beams: 1,
    max_new_tokens: longest + 1,
    // Passed explicitly, because a model's files may lack the padding and end tokens that training used.
    pad_token_id: texts.padId,
    ...(eos_token_id !== undefined && { eos_token_id: [eos_token_id].flat() }),
    ...context.reading.generation_config,
  };
  const answers = await withGenerator(program, values, context, (generator) =>
    writeTexts(generator, program.communicator, prompts, config, batchSize),
  );
  const references = rows.map(({ completion }) => completion);
  watch?.onAnswers?.(
    answers.map(({ text }) => text),
    references,
  );
  const exact = answers.map(({ text }, i) => {
    const { calls } = rows[i]!;
    if (calls?.length) return Number(sameCalls(readToolCalls(text).calls, calls));
    return Number(text.trim() === references[i]!.trim());
  });
  const groups = groupEqualTexts(prompts.map((_, i) => [rows[i]!.prompt]));
  watch?.onCertainty?.({
    groups,
    interval: (score) => (score === 'exact_match' ? shareInterval(exact, groups) : ofLoss?.interval(score)),
  });
  // With tools, a row whose answer is a text says nothing about JSON.
  const formal = [...rows.keys()].filter((i) => rows[i]!.calls?.length !== 0);
  const asJson = (formal.length > 0 ? formal : [...rows.keys()]).map((i) => {
    const { text } = answers[i]!;
    return Number(rows[i]!.calls?.length ? readToolCalls(text).calls.length > 0 : isJson(text));
  });
  return {
    eval_exact_match: addUp(exact) / exact.length,
    eval_valid_json: addUp(asJson) / asJson.length,
    eval_gen_len: answers.reduce((sum, { ids }) => sum + ids.length, 0) / rows.length,
  };
}

function sameCalls(made: readonly ToolCall[], expected: readonly ToolCall[]): boolean {
  return JSON.stringify(made, sortKeys) === JSON.stringify(expected, sortKeys);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A prompt with its completion and, for multiple choice, the other choices. */
interface PromptRow {
  prompt: string;
  completion: string;
  choices?: readonly string[];
  /** The calls of functions in the completion. Undefined for rows without tools. */
  calls?: readonly ToolCall[];
}

/**
 * Scores a decoder by its loss. With `data.choices`, also by the share of rows in which the correct choice is the most
 * likely. With `data.predict_with_generate`, also by the completions that it generates.
 */
function causalEvaluation(
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
      let ofLoss: Certainty | undefined;
      const scores = await byLoss.run(program, values, { onCertainty: (found) => (ofLoss = found) });
      if (choices !== undefined) Object.assign(scores, await choiceScores(rows, context, program, values));
      if (writes)
        Object.assign(
          scores,
          await writtenScores(rows, context, { batchSize, program, values, watch, ofLoss }),
        );
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
    if (last?.role !== ASSISTANT) return undefined;
    const texts = requireTexts(modality);
    const calls = listCalls(last);
    if (calls.length === 0 && typeof last.content !== 'string') return undefined;
    const prompt = texts.render(row.messages.slice(0, -1), true, row.tools);
    if (calls.length === 0)
      rows.push({ prompt, completion: last.content as string, ...(row.tools && { calls }) });
    else {
      const written = texts.render(row.messages, false, row.tools).slice(prompt.length);
      rows.push({ prompt, completion: texts.decode(texts.ids(written)), calls });
    }
    return undefined;
  };
  encodeFiles(files, reading, add);
  if (rows.length > 0) return rows;
  throw new InvalidData({
    where: `${files[0]?.name}: data.predict_with_generate`,
    fault: 'needs rows with a prompt and a completion, or conversations that end with an answer, got texts',
  });
}
