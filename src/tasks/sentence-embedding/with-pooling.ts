import type { CommonConfig } from '../../models/model-definition.ts';
import { PLAIN_SENTENCE, POOLING_MODES } from '../../models/sentence-settings.ts';
import { UserError } from '../../support/user-error.ts';
import type { EmbeddingData } from './data-section.ts';

/**
 * A model's config with the pooling in a `data` section, if any.
 *
 * @throws UserError for a model with an unsupported feature
 */
export function withPooling(
  config: CommonConfig,
  { pooling, normalize, prompts }: Pick<Partial<EmbeddingData>, 'pooling' | 'normalize' | 'prompts'>,
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
