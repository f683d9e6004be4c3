import { type NetworkSpeed, scaling } from '../../src/jobs/plan/scaling.ts';

/*
 * npx tsx bench/processes/scaling-table.ts
 *
 * Prints the tables of docs/mpi.md: the speed of 64 hosts over a network, estimated like `adalora plan
 * --processes`, with 2048 tokens per step on each host.
 */

const HOSTS = 64;
/**
 * Seconds of a float32 step on two cores. DeBERTaV3-base was measured (README, 32 x 64). BERT-base takes
 * twice the time of its six layers (16 x 128). The time of 7B is extrapolated from the number of weights.
 */
const TWO_CORES = { 'BERT-base': 4.1, 'DeBERTaV3-base': 4.4, '7B': 320 };
/** Relative speed of hosts. */
const KINDS = { '2 cores': 1, '32 cores': 16 };
const ADAPTERS = [0.3e6, 3e6, 40e6];
const SPEEDS = [1, 10, 25, 100];
/** The share of a step that can overlap with an all-reduce: the backward pass. */
const BACKWARD = 0.5;

const network = (gigabits: number): NetworkSpeed => ({ bandwidth: gigabits * 125e6, latency: 20e-6 });

/**
 * The share of a step's time that is computation.
 *
 * @param width bytes per number of a gradient
 */
function efficiency(computing: number, parameters: number, gigabits: number, width = 4, hidden = 0): string {
  const share = { parameters: (parameters * width) / 4, steps: 1, computing, evaluations: 0 };
  const { allReduce } = scaling(share, HOSTS, network(gigabits));
  const found = 100 * (computing / (computing + Math.max(0, allReduce - hidden * computing)));
  return `${found.toFixed(found > 99.95 ? 0 : 1)} %`;
}

const line = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`);
function head(cells: readonly string[]): void {
  line(cells);
  line(cells.map(() => '---'));
}

for (const [kind, times] of Object.entries(KINDS)) {
  head([`hosts of ${kind}`, 'a step', 'adapter', ...SPEEDS.map((speed) => `${speed} Gb/s`)]);
  for (const [model, seconds] of Object.entries(TWO_CORES)) {
    const step = seconds / times;
    for (const parameters of ADAPTERS)
      line([
        ...[model, `${step.toFixed(step < 10 ? 2 : 0)} s`, `${parameters / 1e6} M`],
        ...SPEEDS.map((speed) => efficiency(step, parameters, speed)),
      ]);
  }
  console.log();
}
head(['32 cores, 1 Gb/s', 'adapter', 'as it is', '16 bits', 'overlap', 'both', 'four times the rows']);
for (const [model, seconds] of Object.entries(TWO_CORES)) {
  const step = seconds / KINDS['32 cores'];
  for (const parameters of ADAPTERS.slice(1))
    line([
      ...[model, `${parameters / 1e6} M`, efficiency(step, parameters, 1)],
      ...[efficiency(step, parameters, 1, 2), efficiency(step, parameters, 1, 4, BACKWARD)],
      ...[efficiency(step, parameters, 1, 2, BACKWARD), efficiency(4 * step, parameters, 1)],
    ]);
}
