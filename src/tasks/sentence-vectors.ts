import type { CommonConfig } from '../models/model-definition.ts';
import { PLAIN_SENTENCE, POOLING_MODES, type PoolingMode } from '../models/sentence-settings.ts';
import { suggest } from '../support/text.ts';
import { UserError } from '../support/user-error.ts';

/** Keys of a `data` section that replace the model's own settings of sentence vectors. */
interface SentenceKeys {
  pooling?: PoolingMode | undefined;
  normalize?: boolean | undefined;
  prompts?: Readonly<Record<string, string>> | undefined;
}

/** The purpose of a text. */
export type PromptRole = 'query' | 'document' | 'text';

/** Names of prompts by the purpose of a text, as in `encode_query` and `encode_document` of sentence-transformers. */
const NAMES: Readonly<Record<PromptRole, readonly string[]>> = {
  query: ['query'],
  document: ['document', 'passage', 'corpus'],
  text: [],
};

/** All prompts by name: the run's if it has any, otherwise the model's. */
function readPrompts(
  { prompts }: Pick<SentenceKeys, 'prompts'>,
  { sentence }: CommonConfig,
): Readonly<Record<string, string>> {
  return prompts ?? sentence?.prompts ?? {};
}

/** The prompt for a text with this purpose. */
export function promptFor(
  role: PromptRole,
  reading: Pick<SentenceKeys, 'prompts'>,
  config: CommonConfig,
): string {
  const prompts = readPrompts(reading, config);
  const name = NAMES[role].find((known) => Object.hasOwn(prompts, known)) ?? config.sentence?.defaultPrompt;
  return name === undefined ? '' : (prompts[name] ?? '');
}

/**
 * Returns a prompt by its name.
 *
 * @throws UserError for an unknown name
 */
export function promptNamed(
  name: string,
  reading: Pick<SentenceKeys, 'prompts'>,
  config: CommonConfig,
): string {
  const prompts = readPrompts(reading, config);
  if (Object.hasOwn(prompts, name)) return prompts[name]!;
  const names = Object.keys(prompts);
  throw new UserError({
    where: 'prompt name',
    fault:
      names.length > 0
        ? `must be one of ${names.join(', ')}, got "${name}"`
        : `"${name}" is unknown: the model has no prompts`,
    hint: suggest(name, names),
    code: 'invalid_argument',
  });
}

/**
 * A model's config with the pooling in a `data` section, if any.
 *
 * @throws UserError for a model with an unsupported feature
 */
export function withPooling(
  config: CommonConfig,
  { pooling, normalize, prompts }: SentenceKeys,
): CommonConfig {
  const modelSentence = config.sentence ?? PLAIN_SENTENCE;
  if (modelSentence.unsupported !== undefined && pooling === undefined) {
    throw new UserError({
      where: 'the model',
      fault: `makes vectors in an unsupported way: ${modelSentence.unsupported}; supported poolings are ${POOLING_MODES.join(', ')}`,
      hint: 'Choose another model, or train it with one of these in data.pooling.',
      code: 'unsupported',
    });
  }
  return {
    ...config,
    sentence: {
      ...modelSentence,
      pooling: {
        mode: pooling ?? modelSentence.pooling.mode,
        normalize: normalize ?? modelSentence.pooling.normalize,
      },
      ...(prompts && { prompts }),
    },
  };
}

/** Scales a vector to length 1. Zeros remain zeros. */
export function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  return length === 0 ? vector : vector.map((x) => x / length);
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

export function cosine(a: Float32Array, b: Float32Array): number {
  return dot(unit(a), unit(b));
}

/** A text by its number, and its score. */
export interface Ranked {
  number: number;
  score: number;
}

/**
 * The largest scores, the best first. Equal scores keep their order.
 *
 * @param left the number of a score to leave out
 */
export function findBest(scores: ArrayLike<number>, count: number, left?: number): Ranked[] {
  const best: Ranked[] = [];
  for (let number = 0; number < scores.length; number++) {
    const score = scores[number]!;
    if (number === left || (best.length === count && score <= best[count - 1]!.score)) continue;
    let [low, high] = [0, best.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (best[middle]!.score < score) high = middle;
      else low = middle + 1;
    }
    best.splice(low, 0, { number, score });
    if (best.length > count) best.pop();
  }
  return best;
}
