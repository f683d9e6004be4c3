import { EMBEDDED_MODEL } from '../../src/input/hub/model-id.ts';
import { interval } from '../../src/scores/stats/interval.ts';
import { type GivenLabel, Labeling, margin } from '../../src/studies/jobs/labeling.ts';
import { mean } from '../../src/support/numbers.ts';
import { Random } from '../../src/support/random.ts';
import { open } from '../../src/use/trained/node/open.ts';
import { SUITE } from '../defaults/tasks.ts';

/*
 * Compares rules that choose the rows to label, by true labels: the accuracy on held-out rows of a probe that learns from
 * the labeled ones. Usage: npx tsx bench/label/run.ts [draws] [files]
 */

const [draws = '10', ...FILES] = process.argv.slice(2);
const [DRAWS, LABELS] = [Number(draws), 60];
/** Rows to choose from, in each draw. The topics have fewer. */
const POOL = 600;
/** Each label has a key from 1 to 9, so only the most frequent labels are used. */
const MAX_USED = 8;
if (FILES.length === 0) FILES.push('SST-2', 'e-mails', 'prices', 'topics');

type Rule = (labeling: Labeling, random: Random) => Promise<GivenLabel>;

const openRows = ({ answers, rows }: Labeling) => {
  const taken = new Set(answers.map(({ row }) => row));
  return Array.from({ length: rows }, (_, row) => row).filter((row) => !taken.has(row));
};

const atRandom: Rule = async (labeling, random) => {
  const open = openRows(labeling);
  return { row: open[random.integer(open.length)]!, isRandom: true };
};

/** The smallest margin after a number of random rows. */
const afterRandom =
  (first: number): Rule =>
  async (labeling, random) => {
    const { answers } = labeling;
    const guesses = answers.length < first ? undefined : await labeling.guess(labeling.labeled);
    if (!guesses) return atRandom(labeling, random);
    return { row: openRows(labeling).reduce((a, b) => (margin(guesses, b) < margin(guesses, a) ? b : a)) };
  };

const RULES: Readonly<Record<string, { rule: Rule; labels: number }>> = {
  'at random': { rule: atRandom, labels: LABELS },
  'at random, twice as many': { rule: atRandom, labels: 2 * LABELS },
  'margin after 2 random': { rule: afterRandom(2), labels: LABELS },
  'margin after 10 random': { rule: afterRandom(10), labels: LABELS },
  'margin after 20 random': { rule: afterRandom(20), labels: LABELS },
  'adalora label': { rule: async (labeling) => (await labeling.ask())!, labels: LABELS },
};

const totals = new Map<string, number[]>();
const model = await open(EMBEDDED_MODEL, { embeds: true });
for (const name of FILES) {
  const { train, test } = SUITE.find((task) => task.name === name)!.read();
  const counts = new Map<string, number>();
  for (const { label } of train) counts.set(label, (counts.get(label) ?? 0) + 1);
  const labels = [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([label]) => label)
    .slice(0, MAX_USED);
  const known = (rows: typeof train) => rows.filter(({ label }) => labels.includes(label));
  const [pool, held] = [known(train).slice(0, 4000), known(test)];
  const vectors = await model.embed([...pool, ...held].map(({ text }) => text));
  const found = new Map<string, number[]>();
  const covered: number[] = [];
  for (let draw = 0; draw < DRAWS; draw++) {
    const chosen = [...new Random(draw, 'draw').permutation(pool.length).slice(0, POOL)];
    const rows = [...chosen.map((row) => pool[row]!), ...held];
    const drawn = [...chosen.map((row) => vectors[row]!), ...vectors.slice(pool.length)];
    for (const [title, { rule, labels: count }] of Object.entries(RULES)) {
      const random = new Random(draw, title);
      const labeling = new Labeling(drawn.slice(0, chosen.length), labels);
      while (labeling.answers.length < count) {
        const { row, isRandom } = await rule(labeling, random);
        labeling.answer({ row, isRandom, labels: [rows[row]!.label] });
      }
      const judge = new Labeling(drawn, labels);
      const guesses = (await judge.guess(labeling.labeled))!;
      const right = held.filter(({ label }, i) => {
        const start = (chosen.length + i) * guesses.labels.length;
        const of = guesses.probabilities.subarray(start, start + guesses.labels.length);
        return guesses.labels[of.indexOf(Math.max(...of))] === label;
      });
      found.set(title, [...(found.get(title) ?? []), right.length / held.length]);
      if (title !== 'adalora label') continue;
      const { random: estimate } = await labeling.review();
      const [low, high] = estimate!.interval;
      const truth = right.length / held.length;
      covered.push(truth >= low && truth <= high ? 1 : 0);
    }
  }
  console.log(`\n${name}: ${labels.length} labels, ${held.length} held-out rows, ${DRAWS} draws`);
  for (const [title, values] of found) {
    totals.set(title, [...(totals.get(title) ?? []), ...values]);
    const { mean: middle, half = 0 } = interval(values);
    const ahead = interval(values.map((value, i) => value - found.get('at random')![i]!));
    console.log(
      `  ${title.padEnd(26)} ${middle.toFixed(3)} ± ${half.toFixed(3)}  ahead ${ahead.mean.toFixed(3)} ± ${(ahead.half ?? 0).toFixed(3)}`,
    );
  }
  console.log(
    `  intervals of the estimate that hold the accuracy: ${covered.filter(Boolean).length} of ${DRAWS}`,
  );
}
await model.close();
console.log('\nAll files');
for (const [title, values] of totals) console.log(`  ${title.padEnd(26)} ${mean(values).toFixed(3)}`);
