import { readyForMpi } from '../../src/program/parallel/launch.ts';
import { joinProcesses } from '../../src/program/parallel/node/join-processes.ts';
import { median } from '../median.ts';

/*
 * mpirun -n 4 node runs/bench-build/bench/processes/all-reduce.js
 *
 * Measures the time of an all-reduce of a single number, and of vectors.
 */

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
const ms = (seconds: number) => `${(1000 * seconds).toFixed(2)} ms`;
const lines = LENGTHS.map((length) => `| ${size} | ${length / 1e6} M | ${ms(measure(length, ROUNDS))} |`);
if (rank === 0) {
  console.log(`one number: ${ms(small)}`);
  console.log(`| processes | numbers | measured |\n|${' --- |'.repeat(3)}`);
  for (const line of lines) console.log(line);
}
leave();
