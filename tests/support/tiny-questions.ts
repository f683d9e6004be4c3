import { Random } from '../../src/support/random.ts';

const NOUNS = ['cat', 'dog', 'fish', 'bird'];
const VERBS = ['sat', 'ran', 'swam'];

/** A question about which animal does something. With `withNone`, some texts do not contain the answer. */
function tinyQuestion(random: Random, id: string, withNone: boolean) {
  const draw = <T>(options: readonly T[]) => options[random.integer(options.length)];
  const nouns = [...NOUNS].sort(() => random.uniform() - 0.5);
  const verbs = VERBS.map((verb, i) => ({ verb, noun: nouns[i] }));
  const asked = draw(VERBS);
  const told = withNone && random.uniform() < 0.4 ? verbs.filter(({ verb }) => verb !== asked) : verbs;
  const context = `${told.map(({ verb, noun }) => `the ${noun} ${verb}`).join(' . ')} .`;
  const found = told.find(({ verb }) => verb === asked);
  const answers = found
    ? [{ text: found.noun, answer_start: context.indexOf(` ${found.noun} ${asked}`) + 1 }]
    : [];
  return {
    context,
    qas: [{ id, question: ` ${asked}`, answers, ...(withNone && { is_impossible: !found }) }],
  };
}

/** Made-up questions as SQuAD's JSON. The same seed gives the same questions. */
export function tinyQuestions(count: number, seed: number, withNone: boolean): string {
  const random = new Random(seed, 'tiny questions');
  const paragraphs = Array.from({ length: count }, (_, i) => tinyQuestion(random, `q${i}`, withNone));
  return JSON.stringify({ version: withNone ? 'v2.0' : '1.1', data: [{ title: 'animals', paragraphs }] });
}
