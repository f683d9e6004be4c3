import { Random } from '../../src/support/random.ts';
import { matmulPeak } from '../matmul-peak.ts';
import { measure, type Rounds } from '../measure.ts';
import { median } from '../median.ts';
import { writeRandomCheckpoint } from '../random-checkpoint.ts';
import type { Memory } from '../results.ts';
import type { Launcher } from '../sides.ts';
import type { DecoderCase } from './decoder-cases.ts';
import { readRate } from './read-rate.ts';
import { writeServedFiles } from './served-files.ts';

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
  /** Absent if the side only generates, or the case does. */
  train?: Measurement;
  write: Measurement;
}

interface Measurement {
  rounds: Round[];
  memory: Memory;
}

/** The side with which others are compared. */
export const DECODER_REFERENCE = 'PEFT float32';

/**
 * Measures training and generation on every side. In each pass every side has a turn, in another order, alone in a new
 * process: a machine with memory for two decoders may not hold eight.
 *
 * @param rounds the number of passes, and the number of rounds in a turn that are not counted
 */
export async function measureDecoder(
  decoder: DecoderCase,
  launcher: Launcher,
  { rounds, threads, folder }: { rounds: Rounds; threads: number; folder: string },
): Promise<DecoderResult> {
  writeRandomCheckpoint(folder, decoder);
  writeServedFiles(folder, decoder);
  for (const dtype of ['int8', 'int4'] as const) launcher.makeBase(folder, dtype, decoder.head);
  const turns = launcher.decoderSides.flatMap((side) =>
    (side.generatesOnly || !decoder.trains ? [true] : [false, true]).map((writes) => ({
      side,
      writes,
      rounds: [] as Round[],
      memory: { peak_mb: 0 } as Memory,
    })),
  );
  for (let pass = 0; pass < rounds.kept; pass++) {
    for (const [at, i] of new Random(0, 'bench', pass).permutation(turns.length).entries()) {
      const turn = turns[i]!;
      console.error(
        `${decoder.name}: pass ${pass + 1} of ${rounds.kept}, turn ${at + 1} of ${turns.length}, ${turn.side.name}`,
      );
      const preparation = { ...decoder, dtype: turn.side.dtype, folder, threads, writes: turn.writes };
      const { measured } = await measure<object, Round, void>(
        launcher,
        'decoder',
        [{ side: turn.side, preparation }],
        { warmUp: rounds.warmUp, kept: 1 },
        'round',
        async () => {},
      );
      turn.rounds.push(...measured[0]!.replies);
      turn.memory = measured[0]!.memory;
    }
  }
  const runs = launcher.decoderSides.map(({ name }): DecoderRun => {
    const of = (writes: boolean) => turns.find((turn) => turn.side.name === name && turn.writes === writes);
    return { side: name, train: of(false), write: of(true)! };
  });
  return { name: decoder.name, matmulGflops: await matmulPeak(), readGbps: readRate(), runs };
}

/** The median time of a kind of work over all rounds, in milliseconds. */
export function roundMs(rounds: readonly Round[], what: string): number {
  return median(rounds.map((round) => round[what]!));
}
