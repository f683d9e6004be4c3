import { matmulPeak } from '../matmul-peak.ts';
import { measure, type Rounds } from '../measure.ts';
import { median } from '../median.ts';
import { writeRandomCheckpoint } from '../random-checkpoint.ts';
import type { Memory } from '../results.ts';
import type { Launcher, Side } from '../sides.ts';
import type { DecoderCase } from './decoder-cases.ts';
import { readRate } from './read-rate.ts';

/** The times of one round, in milliseconds, by kind of work. */
type Round = Record<string, number>;

/** The measurements of a decoder on every side, in training and generation. */
export interface DecoderResult {
  name: string;
  /** The machine's limits: matrix products in GFLOP/s, reading in GB/s. */
  matmulGflops: number;
  readGbps: number;
  runs: DecoderRun[];
}

interface DecoderRun {
  side: string;
  /** Absent on sides that only generate. */
  train?: Measurement;
  write: Measurement;
}

interface Measurement {
  rounds: Round[];
  memory: Memory;
  /** The reference's rounds, which alternated with this side's rounds. */
  reference?: Round[];
}

/** The side with which others are compared. */
export const DECODER_REFERENCE = 'PEFT float32';

/**
 * Measures training and then generation on every side. Each side alternates only with the reference, because
 * a machine with memory for two decoders may not hold five.
 */
export async function measureDecoder(
  decoder: DecoderCase,
  launcher: Launcher,
  { rounds, threads, folder }: { rounds: Rounds; threads: number; folder: string },
): Promise<DecoderResult> {
  writeRandomCheckpoint(folder, decoder);
  for (const dtype of ['int8', 'int4'] as const) launcher.makeBase(folder, dtype, true);
  const reference = launcher.decoderSides.filter(({ name }) => name === DECODER_REFERENCE);
  const measured = async (side: Side, writes: boolean): Promise<Measurement> => {
    const rivals = [side, ...reference.filter((other) => other !== side)].map((side) => ({
      side,
      preparation: { ...decoder, dtype: side.dtype, folder, threads, writes },
    }));
    const { measured } = await measure<object, Round, void>(
      launcher,
      'decoder',
      rivals,
      rounds,
      'round',
      async () => {},
    );
    const [{ replies, memory }, other] = measured;
    return { rounds: replies, memory, reference: other?.replies };
  };
  const runs: DecoderRun[] = [];
  for (const side of launcher.decoderSides) {
    const train = side.library === 'llama.cpp' ? undefined : await measured(side, false);
    runs.push({ side: side.name, train, write: await measured(side, true) });
  }
  return { name: decoder.name, matmulGflops: await matmulPeak(), readGbps: readRate(), runs };
}

/** The median time of a kind of work over all rounds, in milliseconds. */
export function roundMs(rounds: readonly Round[], what: string): number {
  return median(rounds.map((round) => round[what]));
}
