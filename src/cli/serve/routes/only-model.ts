import type { ModelCard, Service } from '../../../serving/service/service.ts';
import { Refused } from '../failure.ts';

/** The abilities of models, and the routes for each. */
const KINDS = {
  answers: {
    has: ({ writes, embeds }: ModelCard) => !writes && !embeds,
    what: 'answers about texts',
    elsewhere: 'Those that write are asked at /v1/completions, those that embed at /embed.',
  },
  embeds: {
    has: ({ embeds }: ModelCard) => embeds,
    what: 'makes vectors of texts',
    elsewhere: 'Those that answer about texts are asked at /predict.',
  },
};

/** The name of the only model of a kind, for requests without a name. Throws Refused if there is none or several. */
export async function onlyModel(service: Service, kind: keyof typeof KINDS): Promise<string> {
  const { has, what, elsewhere } = KINDS[kind];
  const names = (await service.models()).filter(has).map(({ name }) => name);
  if (names.length === 1) return names[0];
  if (names.length === 0)
    throw new Refused(422, `model: expected one that ${what}, got a server without any. ${elsewhere}`);
  throw new Refused(
    422,
    `model: expected the name of one of ${names.length} models, got none. /v1/models has them.`,
  );
}
