import type { ServedCard, Service } from '../../../../use/serving/service/service.ts';
import { Refused } from '../failure.ts';

/** The uses of a model, and the routes for each use. */
const KINDS = {
  answers: {
    has: ({ writes, embeds }: ServedCard) => !writes && !embeds,
    what: 'predicts',
    elsewhere: 'Use /v1/completions to generate text and /embed for embeddings.',
  },
  embeds: {
    has: ({ embeds }: ServedCard) => embeds,
    what: 'computes embeddings',
    elsewhere: 'Use /predict for predictions.',
  },
};

/**
 * Returns the name of the only model with one of these uses, for requests that name no model. Throws Refused
 * if no model or several models have this use.
 */
export async function onlyModel(service: Service, kind: keyof typeof KINDS): Promise<string> {
  const { has, what, elsewhere } = KINDS[kind];
  const names = (await service.models()).filter(has).map(({ name }) => name);
  if (names.length === 1) return names[0]!;
  if (names.length === 0) throw new Refused(422, `No served model ${what}. ${elsewhere}`);
  throw new Refused(422, `\`model\` is required: ${names.length} models are served. See /v1/models.`);
}
