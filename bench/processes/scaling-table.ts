import { type NetworkSpeed, scaling } from '../../src/jobs/plan/scaling.ts';

/*
 * npx tsx bench/processes/scaling-table.ts
 *
 * The tables of docs/mpi.md: what 64 hosts get out of a network, by the model of `adalora plan --processes`. A step of
 * 32 rows of 64 tokens a host over a frozen base is four operations a weight and token (there and back, no gradients of
 * weights), at the rate that this library reaches on the host's cores.
 */

const HOSTS = 64;
const TOKENS = 32 * 64;
/** Operations a second: the measured rate of two cores in float32, and sixteen times that. */
const TWO_CORES = 0.11e12;
const RATES = { '2 cores': TWO_CORES, '32 cores': 16 * TWO_CORES };
/** Weights that a token meets, without those that are looked up. */
const MODELS = { 'BERT-base': 85e6, 'DeBERTaV3-base': 1.5 * 85e6, '7B': 6.6e9 };
const ADAPTERS = [0.3e6, 3e6, 40e6];
const SPEEDS = [1, 10, 25, 100];
/** Of a step in which an overlapping all-reduce could run: the backward pass. */
const BACKWARD = 0.5;

const network = (gigabits: number): NetworkSpeed => ({ bandwidth: gigabits * 125e6, latency: 20e-6 });

/** Computing's share of a step; `width`: bytes of a gradient's number. */
function efficiency(computing: number, parameters: number, gigabits: number, width = 4, hidden = 0): number {
  const numbers = (parameters * width) / 4;
  const share = { parameters: numbers, steps: 1, computing, evaluations: 0 };
  const { allReduce } = scaling(share, HOSTS, network(gigabits));
  return computing / (computing + Math.max(0, allReduce - hidden * computing));
}

const percent = (share: number) => `${(100 * share).toFixed(share > 0.9995 ? 0 : 1)} %`;
const line = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`);
const head = (cells: readonly string[]) => {
  line(cells);
  line(cells.map(() => '---'));
};

for (const [cores, rate] of Object.entries(RATES)) {
  head([`hosts of ${cores}`, 'a step', 'adapter', ...SPEEDS.map((speed) => `${speed} Gb/s`)]);
  for (const [model, weights] of Object.entries(MODELS)) {
    const computing = (4 * weights * TOKENS) / rate;
    for (const parameters of ADAPTERS)
      line([
        ...[model, `${computing.toPrecision(2)} s`, `${parameters / 1e6} M`],
        ...SPEEDS.map((speed) => percent(efficiency(computing, parameters, speed))),
      ]);
  }
  console.log();
}
head([
  'hosts of 32 cores, 1 Gb/s',
  'adapter',
  'as it is',
  '16 bits',
  'overlapped',
  'both',
  '4 times the rows',
]);
for (const [model, weights] of Object.entries(MODELS)) {
  const computing = (4 * weights * TOKENS) / RATES['32 cores'];
  for (const parameters of ADAPTERS.slice(1))
    line([
      ...[model, `${parameters / 1e6} M`, percent(efficiency(computing, parameters, 1))],
      percent(efficiency(computing, parameters, 1, 2)),
      percent(efficiency(computing, parameters, 1, 4, BACKWARD)),
      percent(efficiency(computing, parameters, 1, 2, BACKWARD)),
      percent(efficiency(4 * computing, parameters, 1)),
    ]);
}
