import { rmSync } from 'node:fs';
import { clockTime, counted } from '../../src/studies/report/format.ts';
import { adalora, adaloraQuietly } from './adalora.ts';
import { costOf } from './compare-cost.ts';
import { writeData } from './write-data.ts';

/*
 * npm run demo [-- --set seed=1]
 *
 * Trains the built-in model to classify real e-mails as spam or ham. Arguments are passed to every training.
 * Files of an earlier demo are replaced.
 */

const CONFIG = 'scripts/demo/spam.yaml';
const [RUN, LORA_RUN, DATA] = ['runs/demo', 'runs/demo-lora', 'runs/demo-data'];
/** Enough steps to measure the cost of a step. */
const LORA_STEPS = 30;

const begin = performance.now();
const settings = process.argv.slice(2);
for (const folder of [RUN, LORA_RUN, DATA]) rmSync(folder, { recursive: true, force: true });

const { train, validation, test, counts } = writeData(DATA);
console.log(
  `${counted(counts.mails)} e-mails: ${counts.same} duplicates removed, and ${counted(counts.alike)} near duplicates kept in one part.\n` +
    `${counted(train.length)} to train, ${counted(validation.length)} to validate, ${counted(test.length)} to test.`,
);

await adalora('plan', CONFIG, ...settings);
await adalora('train', CONFIG, ...settings);

console.log(`\nTraining LoRA for ${LORA_STEPS} steps with the same budget of ranks, to compare the cost.`);
const short = [
  `output=${LORA_RUN}`,
  'method=lora',
  `training.max_steps=${LORA_STEPS}`,
  'training.eval_strategy=no',
];
await adaloraQuietly('train', CONFIG, ...settings, ...short.flatMap((setting) => ['--set', setting]));

const scores = JSON.parse(await adaloraQuietly('eval', RUN, `${DATA}/test.jsonl`, '--json'));
await adaloraQuietly('report', RUN);

const ham = test.filter(({ label }) => label === 'ham').length / test.length;
const costs = [RUN, LORA_RUN].map((run) => costOf(run, LORA_STEPS));
const row = (name: string, cells: string[]) =>
  `  ${name.padEnd(20)}${cells.map((cell) => cell.padStart(10)).join('')}`;
console.log(`
Scores on ${counted(test.length)} test e-mails
  accuracy ${scores.eval_accuracy.toFixed(3)}, F1 of spam ${scores.eval_f1.toFixed(3)} (majority class: ${ham.toFixed(3)}, 0)

${row('Cost', ['AdaLoRA', 'LoRA'])}
${row(
  'examples per second',
  costs.map(({ examplesPerSecond }) => examplesPerSecond.toFixed(0)),
)}
${row(
  'trained parameters',
  costs.map(({ trainedParameters }) => counted(trainedParameters)),
)}
${row(
  'peak memory',
  costs.map(({ peakMemoryMb }) => `${counted(Math.round(peakMemoryMb))} MB`),
)}

Done in ${clockTime((performance.now() - begin) / 1000)}. ${RUN}/report.html shows the final ranks. The adapter is in ${RUN}/adapter.
Classify a message:

  npx adalora predict ${RUN}
`);
