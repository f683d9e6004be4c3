import { unigramBaseline } from '../../baselines/unigram.ts';
import { foundColumns } from '../../data/text/language-rows.ts';
import type { TextFile } from '../../data/text-file.ts';
import { tokenModel } from '../../objectives/token-model.ts';
import { hasWordHead, LANGUAGE, readingWithFlags } from '../language/language-task.ts';
import type { TaskDefinition } from '../task-definition.ts';
import { causalEvaluation } from './causal-evaluation.ts';
import { causalExamples, learntTokens } from './causal-examples.ts';
import { type CausalData, causalDataSchema, contentProblems } from './data-section.ts';

/** Predicts the next token of texts, of completions of prompts, or of an assistant's turns. */
export const causalLm: TaskDefinition<CausalData, readonly TextFile[], never, typeof causalDataSchema> = {
  ...LANGUAGE,
  data: causalDataSchema,
  modelToTry: 'HuggingFaceTB/SmolLM2-135M-Instruct',
  problems: contentProblems,
  build: () => tokenModel('CAUSAL_LM'),
  read: (files) => files,
  join: (parts) => parts.flat(),
  labels: () => [],
  detected: ([file], reading) => foundColumns(file.read(), file.name, reading),
  examples: causalExamples,
  evaluation: causalEvaluation,
  tokenBaselines: (train, validation, vocabSize) => [
    unigramBaseline(learntTokens(train), learntTokens(validation), vocabSize),
  ],
  metrics: ['loss', 'perplexity', 'accuracy', 'accuracy_norm', 'exact_match', 'valid_json', 'gen_len'],
  metricsOf: ({ choices, predict_with_generate: writes }) => [
    ...LANGUAGE.metrics,
    ...(choices === undefined ? [] : (['accuracy', 'accuracy_norm'] as const)),
    ...(writes ? (['exact_match', 'valid_json', 'gen_len'] as const) : []),
  ],
  tellsAnswers: ({ predict_with_generate: writes }) => writes,
  withFlags: (reading, flags) =>
    readingWithFlags('causal_lm', Object.keys(causalDataSchema.shape), reading, flags),
  recognises(model) {
    const isOne =
      model.taskType === 'CAUSAL_LM' || hasWordHead(model, model.definition.heads.CAUSAL_LM?.architecture);
    return isOne ? { labels: [], data: {} } : undefined;
  },
  words: {
    name: 'causal language modelling',
    trainedFor: () => 'causal language modelling',
    hub: { pipeline: 'text-generation', name: 'Text Generation' },
    autoModel: 'AutoModelForCausalLM',
    use: () => ({ command: 'adalora generate . --prompt "Some text"' }),
    python: () => [
      'inputs = tokenizer("Some text", return_tensors="pt")',
      'print(tokenizer.decode(model.generate(**inputs, max_new_tokens=64)[0], skip_special_tokens=True))',
    ],
    instead: 'Generate text with adalora generate, or score the model with adalora eval.',
    hasClasses: false,
  },
};
