import { foundColumns } from '../../input/data/text/language-rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { printedInPython, textsInPython } from '../../program/modalities/in-python.ts';
import { tokenModel } from '../../program/objectives/token-model.ts';
import type { Baseline } from '../../scores/baselines/baseline.ts';
import { hasWordHead, LANGUAGE, readingWithFlags } from '../language/language-task.ts';
import type { TaskDefinition } from '../task-definition.ts';
import { causalEvaluation } from './causal-evaluation.ts';
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
  recognises(model) {
    const isOne =
      model.taskType === 'CAUSAL_LM' || hasWordHead(model, model.definition.heads.CAUSAL_LM?.architecture);
    return isOne ? { labels: [], data: {} } : undefined;
  },
  words: {
    name: 'causal language modelling',
    trainedFor: () => 'causal language modelling',
    hub: { pipeline: 'text-generation', name: 'Text Generation' },
    use: () => ({ command: 'adalora generate . --prompt "Some text"' }),
    python: () => ({
      autoModel: 'AutoModelForCausalLM',
      lines: [
        textsInPython('"Some text"'),
        printedInPython('model.generate(**inputs, max_new_tokens=64)[0]'),
      ],
    }),
    instead: 'Generate text with adalora generate, or score the model with adalora eval.',
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
