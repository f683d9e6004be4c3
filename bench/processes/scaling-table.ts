import { type NetworkSpeed, scaling } from '../../src/jobs/plan/scaling.ts';

/*
 * npx tsx bench/processes/scaling-table.ts
 *
 * Prints the table of docs/mpi.md: the parallel efficiency of 64 hosts over a network, estimated like `adalora plan
 * --processes`, with 2048 tokens per step on each host.
 */

const HOSTS = 64;
/**
 * Seconds of a float32 step on two cores. DeBERTaV3-base was measured (docs/results/speed.md, 32 x 64). BERT-base takes
 * twice the time of its six layers (16 x 128). The time of 7B is 32 times that of 64 tokens (docs/large-models.md).
 */
const TWO_CORES = { 'BERT-base': 4.1, 'DeBERTaV3-base': 4.4, '7B': 266 };
/** Assumed speed of a host with 32 cores, as a multiple of two cores. */
const CORES = 16;
const ADAPTERS = [3e6, 40e6];
const SPEEDS = [1, 10, 25, 100];

const network = (gigabits: number): NetworkSpeed => ({ bandwidth: gigabits * 125e6, latency: 20e-6 });

/** The share of a step's time that is computation. */
function efficiency(computing: number, parameters: number, gigabits: number): string {
  const share = { parameters, steps: 1, computing, evaluations: 0 };
  const { allReduce } = scaling(share, HOSTS, network(gigabits));
  const found = 100 * (computing / (computing + allReduce));
  return `${found.toFixed(found > 99.95 ? 0 : 1)} %`;
}

const line = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`);
const head = ['hosts of 32 cores', 'step', 'adapter', ...SPEEDS.map((speed) => `${speed} Gb/s`)];
line(head);
line(head.map(() => '---'));
for (const [model, seconds] of Object.entries(TWO_CORES)) {
  const step = seconds / CORES;
  for (const parameters of ADAPTERS)
    line([
      ...[model, `${step.toFixed(step < 10 ? 2 : 0)} s`, `${parameters / 1e6} M`],
      ...SPEEDS.map((speed) => efficiency(step, parameters, speed)),
    ]);
}
