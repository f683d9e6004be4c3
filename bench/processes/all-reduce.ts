import { parseArgs } from 'node:util';
import { bandwidth, latency } from '../../src/cli/network-flags.ts';
import { allReduceTime } from '../../src/jobs/plan/scaling.ts';
import { joinProcesses } from '../../src/parallel/node/join-processes.ts';
import { readyForMpi } from '../../src/parallel/node/launch.ts';
import { median } from '../median.ts';

/*
 * mpirun -n 4 node runs/bench-build/bench/processes/all-reduce.js [--bandwidth 1Gb/s] [--latency 20us]
 *
 * Compares the time of an all-reduce with the estimate of `adalora plan --processes`. Without --latency, the
 * measured time for a single number is used.
 */

const { values: options } = parseArgs({
  options: { bandwidth: { type: 'string', default: '10Gb/s' }, latency: { type: 'string' } },
});
const LENGTHS = [300_000, 3_000_000, 40_000_000];
const ROUNDS = 7;

readyForMpi(process.env);
const { communicator, leave } = await joinProcesses();
const { rank, size } = communicator;

/**
 * Median seconds of an all-reduce. The time starts when the last process arrives, and ends when this process
 * has the sums.
 */
function measure(length: number, rounds: number): number {
  const values = new Float32Array(length).fill(1 / size);
  const took = Array.from({ length: rounds }, () => {
    communicator.barrier();
    const started = performance.now();
    communicator.allReduce(values);
    return (performance.now() - started) / 1000;
  });
  return median(took);
}

const small = measure(1, 100);
const network = {
  bandwidth: bandwidth(options.bandwidth),
  // An all-reduce of one number sends it log₂ n times, one after another.
  latency: options.latency ? latency(options.latency) : small / Math.max(1, Math.ceil(Math.log2(size))),
};
const ms = (seconds: number) => `${(1000 * seconds).toFixed(2)} ms`;
const lines = LENGTHS.map((length) => {
  const [found, { seconds, algorithm }] = [measure(length, ROUNDS), allReduceTime(4 * length, size, network)];
  return `| ${size} | ${length / 1e6} M | ${ms(found)} | ${ms(seconds)} (${algorithm}) | ${(found / seconds).toFixed(2)} |`;
});
if (rank === 0) {
  console.log(`one number: ${ms(small)}; bandwidth ${options.bandwidth}, latency ${ms(network.latency)}`);
  console.log(`| processes | numbers | measured | plan's model | ratio |\n|${' --- |'.repeat(5)}`);
  for (const line of lines) console.log(line);
}
leave();
