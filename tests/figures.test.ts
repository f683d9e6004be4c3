import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type BaselineResults, baselinePage } from '../bench/baselines/page.ts';
import { type FileResults, filePage } from '../bench/from-file/page.ts';
import { median } from '../bench/median.ts';
import type { StepRun } from '../bench/results.ts';
import {
  type Claim,
  hasFigures,
  listDocuments,
  needsSource,
  RECORD,
  readClaims,
} from '../scripts/figures.ts';

/*
 * Figures of the README and of the guides are those of the committed tables in docs/results. Every figure with a
 * decimal point in the README must be claimed here, so that it has a source.
 */

const read = (path: string) => readFileSync(path, 'utf8');
const json = (path: string) => JSON.parse(read(path));
const facts = json('docs/results/facts.json');
const speed = json('docs/results/speed.json');
const DOCUMENTS = [
  ...['README.md', 'models/mini/README.md'],
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !/table\.md$|^reference\b/.test(name))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`),
];

interface Spread {
  mean: number;
  deviation: number;
}

/** Mean and standard deviation of every score and parameter count in the tables of comparisons. */
function spreads(): Spread[] {
  const folders = readdirSync('docs/results', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const found: Spread[] = Object.values(facts.adamw8bit);
  for (const { name } of folders)
    for (const { rows } of json(`docs/results/${name}/table.json`).tasks)
      for (const { runs } of rows) {
        for (const score of Object.keys(runs[0].scores))
          found.push(
            spreadOf(runs.map((run: { scores: Record<string, number> }) => 100 * run.scores[score]!)),
          );
        found.push(spreadOf(runs.map((run: { parameters: number }) => run.parameters)));
      }
  return found;
}

function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/** Whether a printed figure is a value, rounded to its digits. */
function isRounded(printed: string, value: number): boolean {
  const plain = printed.replaceAll(',', '').replace('−', '-');
  const digits = plain.split('.')[1]?.length ?? 0;
  // Halves may be rounded either way, since the sums of floats differ in their last bits.
  return Math.abs(Number(plain) - value) <= 0.5 * 10 ** -digits + 1e-9;
}

function figuresIn(text: string): string[] {
  return text.match(/(?<![\w.])−?(?:\d[\d,]*(?:\.\d+)?|\.\d+)/g) ?? [];
}

/** Rows of cells of every table in a document. */
function tablesOf(document: string): string[][][] {
  const blocks = read(document).match(/(?:^\|.*\n)+/gm) ?? [];
  return blocks.map((block) =>
    block
      .trimEnd()
      .split('\n')
      .filter((_, i) => i !== 1)
      .map((line) => line.slice(1, -1).replaceAll('\\|', '/').split('|'))
      .map((cells) => cells.map((cell) => cell.trim())),
  );
}

const record = json(RECORD) as Record<string, Claim[]>;

it('records all documents', () => expect(Object.keys(record)).toEqual(listDocuments()));

it.each(listDocuments())('%s: its figures and their directions are recorded', (document) => {
  const recorded = record[document]!.map(([claim]) => claim);
  expect(readClaims(read(document)), `After a measurement, run npx tsx scripts/figures.ts`).toEqual(recorded);
});

it('recorded figures occur in their files', () => {
  const strange = Object.values(record)
    .flat()
    .filter(([claim, source]) => source !== null && !hasFigures(source, claim));
  expect(strange).toEqual([]);
});

it.each(listDocuments())('%s: every measured figure has a source', (document) => {
  const open = record[document]!.filter(([claim, source]) => source === null && needsSource(document, claim));
  expect(open, 'Write the measurement into docs/results or bench/log').toEqual([]);
});

it('notices one changed digit, and a direction that is turned over', () => {
  const text = 'Mixed adapters take 1.1 to 1.2 times as long as one adapter, and 59 ms is faster.';
  expect(readClaims(text)).toEqual(['1.1 1.2 as long 59 faster']);
  expect(readClaims(text.replace('1.2', '1.3'))).not.toEqual(readClaims(text));
  expect(readClaims(text.replace('long', 'many'))).not.toEqual(readClaims(text));
});

const known = spreads();
it.each(DOCUMENTS)('%s: every mean with a deviation is one of the tables', (document) => {
  const isKnown = ([, mean, deviation]: RegExpMatchArray) =>
    known.some((spread) => isRounded(mean!, spread.mean) && isRounded(deviation!, spread.deviation));
  const printed = Array.from(read(document).matchAll(/(−?[\d.,]*\d) ± ([\d.,]*\d)/g));
  expect(printed.filter((match) => !isKnown(match)).map(([text]) => text)).toEqual([]);
});

it('the tables of speed.md are those of speed.json', () => {
  const tables = tablesOf('docs/results/speed.md');
  const names = Object.keys(speed).filter((name) => speed[name].rows);
  expect(tables).toHaveLength(names.length);
  for (const [i, name] of names.entries()) {
    const { columns, rows } = speed[name];
    const [head, ...lines] = tables[i]!;
    expect(head!.slice(-columns.length)).toEqual(columns);
    const printed = lines.map((cells) =>
      cells.slice(-columns.length).map((cell) => figuresIn(cell).map(plain)),
    );
    expect(printed, name).toEqual(Object.values(rows));
  }
});

const PAGES = { baselines: baselinePage, 'from-file': filePage };
it.each(Object.entries(PAGES).filter(([name]) => existsSync(`docs/results/${name}.md`)))(
  '%s.md is the page of its measurements',
  (name, write: (results: never) => string) =>
    expect(read(`docs/results/${name}.md`)).toBe(write(json(`docs/results/${name}.json`) as never)),
);

it('the tables of defaults.md are those of defaults.json', () => {
  const measured = json('docs/results/defaults.json');
  const tables = tablesOf('docs/results/defaults.md').map(([, ...lines]) =>
    lines.map((cells) => cells.flatMap((cell) => (/^[\d.]+$/.test(cell) ? [plain(cell)] : []))),
  );
  const numbers = (rows: object[]) =>
    rows.map((row) => Object.values(row).filter((value) => typeof value === 'number'));
  expect(tables).toEqual([measured.seeds, measured.rows1600, measured.fromFile].map(numbers));
});

const plain = (figure: string) => Number(figure.replaceAll(',', '').replace('−', '-'));
const range = (values: readonly number[]) => [Math.min(...values), Math.max(...values)];
const training = (row: string, column: number): number => speed.training.rows[row][column][0];
const xeon = (row: string, column: number): number =>
  speed.otherMachines.rows[`Intel Xeon without AMX: ${row}`][column][0];
/** The speed in float32 and with an int8 base on two machines, and that of PEFT in bfloat16. */
const rates = (row: string, elsewhere: string) => [
  ...range([training(row, 0), xeon(elsewhere, 0)]),
  ...range([training(row, 1), xeon(elsewhere, 1)]),
  training(row, 2),
];
/** A program's median seconds of training from a file, and its accuracy on each task. */
const fromFile = (program: string) => {
  const cells: FileResults['cells'] = json('docs/results/from-file.json').cells;
  const own = cells.filter((cell) => cell.program === program);
  return {
    seconds: median(own.map(({ train }) => train.seconds)),
    accuracies: own.map(({ accuracy }) => accuracy),
  };
};
/** A side's AdaLoRA steps on MiniLM, 32 x 64. */
const adaloraSteps = (side: string): StepRun => {
  const { sizes }: BaselineResults = json('docs/results/baselines.json');
  return sizes[0]!.runs.find((run) => run.side === side && run.method === 'adalora')!;
};
const stepMs = (side: string) => median(adaloraSteps(side).ms);
const firstMs = (side: string) => adaloraSteps(side).firstMs;
/** Matthews correlation x 100 of a row on CoLA: the mean and the standard deviation of its seeds. */
const mean = (comparison: string, row: string): readonly number[] => {
  const { tasks } = json(`docs/results/${comparison}/table.json`);
  const { runs } = tasks[0].rows.find((one: { row: string }) => one.row === row);
  const spread = spreadOf(
    runs.map((run: { scores: Record<string, number> }) => 100 * run.scores.matthews_correlation!),
  );
  return [spread.mean, spread.deviation];
};

/** A text of some documents in which # stands for a figure (and TIME for any time), and the figures. */
const CLAIMS: readonly { documents: readonly string[]; text: string; figures: () => readonly number[] }[] = [
  {
    documents: ['README.md'],
    text: 'Accuracy on # test e-mails is # to # over three seeds (a bag of words # to #, a linear probe #, majority class #)',
    figures: () => [
      ...[facts.demo.testMails, ...range(facts.demo.accuracy)],
      ...facts.demo.bagOfWordsAccuracy,
      ...[facts.demo.linearProbeAccuracy, facts.demo.majorityAccuracy],
    ],
  },
  {
    documents: ['README.md'],
    text: 'trains on # real e-mails',
    figures: () => [facts.demo.mails],
  },
  {
    documents: ['models/mini/README.md'],
    text: 'three epochs: accuracy #, #, #, F1 #, #, # |',
    figures: () => [...facts.demo.accuracy, ...facts.demo.f1],
  },
  {
    documents: ['models/mini/README.md'],
    text: 'accuracy # to #, F1 # to # |',
    figures: () => [...facts.demo.bagOfWordsAccuracy, ...facts.demo.bagOfWordsF1],
  },
  {
    documents: ['models/mini/README.md'],
    text: '| linear probe of this model | | | accuracy #, F1 # |',
    figures: () => [facts.demo.linearProbeAccuracy, facts.demo.linearProbeF1],
  },
  {
    documents: ['README.md'],
    text: '(# MB in the example below)',
    figures: () => [facts.shop.adapterMegabytes],
  },
  {
    documents: ['docs/first-questions.md'],
    text: 'adapter of the shop example is # MB',
    figures: () => [facts.shop.adapterMegabytes],
  },
  {
    documents: ['README.md'],
    text: 'beats a linear probe: # is inside the interval',
    figures: () => [facts.shop.linearProbe],
  },
  {
    documents: ['README.md', 'docs/containers.md'],
    text: 'installation takes # MB',
    figures: () => [facts.installation.megabytes],
  },
  {
    documents: ['README.md'],
    text: 'or [# MB on Linux x64]',
    figures: () => [facts.installation.smallestMegabytes],
  },
  {
    documents: ['docs/containers.md'],
    text: 'which leaves # MB:',
    figures: () => [facts.installation.smallestMegabytes],
  },
  {
    documents: ['docs/first-questions.md'],
    text: 'and leaves # MB',
    figures: () => [facts.installation.slimMegabytes],
  },
  {
    documents: ['README.md'],
    text: 'a step of 64 tokens takes # to # s and # GB for 7 billion',
    figures: () => [...facts.int4Step['7 billion'].seconds, facts.int4Step['7 billion'].gigabytes],
  },
  {
    documents: ['docs/large-models.md'],
    text: '| Llama-2-7B | # to # s | # GB',
    figures: () => [...facts.int4Step['7 billion'].seconds, facts.int4Step['7 billion'].gigabytes],
  },
  {
    documents: ['docs/large-models.md'],
    text: '| Llama-2-13B | # to # s | # GB',
    figures: () => [...facts.int4Step['13 billion'].seconds, facts.int4Step['13 billion'].gigabytes],
  },
  {
    documents: ['README.md'],
    text: '| MiniLM on CoLA | #x to #x | #x to #x | #x |',
    figures: () => [
      ...[...speed.colaOnFourMachines.float32, ...speed.colaOnFourMachines.int8],
      training('CoLA, training, examples per second', 2),
    ],
  },
  {
    documents: ['docs/results/speed.md'],
    text: 'was # to # (float32) and # to # (int8)',
    figures: () => [...speed.colaOnFourMachines.float32, ...speed.colaOnFourMachines.int8],
  },
  {
    documents: ['README.md'],
    text: '| BERT-base, 6 layers | #x to #x | #x to #x | #x |',
    figures: () => rates('BERT-base x 6, 16 x 128, per step', 'BERT-base x 6, 16 x 128'),
  },
  {
    documents: ['README.md'],
    text: '| DeBERTaV3-base | #x to #x | #x to #x | #x |',
    figures: () => rates('DeBERTaV3-base, 32 x 64', 'DeBERTaV3-base, 32 x 64'),
  },
  {
    documents: ['README.md'],
    text: 'adalora takes # s and [SetFit # s',
    figures: () => ['adalora, MiniLM', 'SetFit, MiniLM'].map((program) => fromFile(program).seconds),
  },
  {
    documents: ['README.md'],
    text: 'accuracies of #, # and # against #, # and #',
    figures: () => ['adalora, MiniLM', 'SetFit, MiniLM'].flatMap((program) => fromFile(program).accuracies),
  },
  {
    documents: ['docs/results/speed.md'],
    text: 'its AdaLoRA step takes # ms with huge pages and # ms compiled over bfloat16 weights, after a first step of # s. adalora takes # ms in float32 and # ms with an int8 base',
    figures: () => [
      stepMs('PEFT huge pages'),
      stepMs('PEFT compiled bf16 weights'),
      firstMs('PEFT compiled bf16 weights') / 1000,
      stepMs('adalora float32'),
      stepMs('adalora int8'),
    ],
  },
  {
    documents: ['docs/bert.md'],
    text: 'measurements (# s and # s)',
    figures: () => facts.bertBase.secondsPerStep,
  },
  ...['float32', 'int8'].map((base) => ({
    documents: ['docs/serve.md'],
    text: `| \`${base}\` | # and # | # to # times as fast | # ms |`,
    figures: () => {
      const { rowsPerSecond, timesPeft, medianMs } = facts.serving[base];
      return [...rowsPerSecond, ...timesPeft, medianMs];
    },
  })),
  {
    documents: ['docs/serve.md'],
    text: 'Mixed adapters process # to # times as many rows per second as a single adapter.',
    figures: () => facts.serving.mixedOverOneAdapter,
  },
  ...['1,200', '10,000', '100,000'].map((rows) => ({
    documents: ['docs/bert.md'],
    text: `| ${rows} | # | TIME | # GB | TIME | # GB |`,
    figures: () => [facts.bertBase[rows].steps, ...facts.bertBase[rows].gigabytes],
  })),
  {
    documents: ['README.md'],
    text: '| # ± # | # ± # | # ± # | # ± # | # ± # | # |',
    figures: () => [
      ...mean('cola', 'full'),
      ...mean('cola-ablations', 'AdaLoRA, scale rslora'),
      ...['ElaLoRA', 'AdaLoRA', 'LoRA'].flatMap((row) => mean('cola', row)),
      mean('cola', 'FlexLoRA')[0]!,
    ],
  },
];

function patternOf(text: string): RegExp {
  const escaped = text
    .replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    .replaceAll(' ', '\\s+')
    .replaceAll('TIME', '[\\d:]+');
  return new RegExp(escaped.replaceAll('#', '(−?[\\d,]*\\.?\\d+)'));
}

it.each(CLAIMS.flatMap(({ documents, ...claim }) => documents.map((document) => ({ document, ...claim }))))(
  '$document: "$text" has the measured figures',
  ({ document, text, figures }) => {
    const [, ...printed] = patternOf(text).exec(read(document)) ?? [];
    const expected = figures();
    expect(printed).toHaveLength(expected.length);
    expect(printed.filter((figure, i) => !isRounded(figure, expected[i]!))).toEqual([]);
  },
);

it('every figure with a decimal point in the README has a source', () => {
  const prose = read('README.md')
    .replaceAll(/^```[\s\S]*?^```$/gm, '')
    .replaceAll(/`[^`]*`|\]\([^)]*\)|Apache-2\.0/g, '');
  const claims = CLAIMS.filter(({ documents }) => documents.includes('README.md'));
  const rest = claims.reduce((text, claim) => text.replace(patternOf(claim.text), ''), prose);
  expect(rest.match(/\d+\.\d+(?: ± \d+\.\d+)?/g) ?? []).toEqual([]);
});
