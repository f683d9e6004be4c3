import { matmulPeak } from './matmul-peak.ts';
import { measure, type Rounds } from './measure.ts';
import { writeRandomCheckpoint } from './random-checkpoint.ts';
import type { StepResult } from './results.ts';
import type { BenchCase } from './shapes.ts';
import type { Launcher } from './sides.ts';

export interface StepRows {
  rounds: Rounds;
  threads: number;
  /** Folder for checkpoints. */
  folder: string;
}

type Rates = Pick<StepResult, 'matmulGflops' | 'products'>;

interface Prepared {
  trainable: number;
  versions?: Record<string, string>;
}

/** Measures every method for one size on every side. Sides and methods take turns after each step. */
export async function measureSteps(
  cases: readonly BenchCase[],
  launcher: Launcher,
  { rounds, threads, folder }: StepRows,
): Promise<StepResult & Pick<Prepared, 'versions'>> {
  const { name } = cases[0]!;
  writeRandomCheckpoint(folder, cases[0]!);
  launcher.makeBase(folder, 'int8', cases[0]!.head);
  const rivals = launcher.sides.flatMap((side) =>
    cases.map(({ name: _, ...benchCase }) => {
      const { dtype, weights, compile } = side;
      const request = { ...benchCase, dtype, threads };
      const preparation =
        side.library === 'adalora' ? { ...request, folder } : { ...request, weights, compile };
      return { side, method: benchCase.method, preparation };
    }),
  );
  const { measured, end } = await measure<Prepared, { ms: number }, Rates>(
    launcher,
    'step',
    rivals,
    rounds,
    'step',
    async (first) => ({ matmulGflops: await matmulPeak(), products: await first.ask('products') }),
  );
  const runs = measured.map(({ prepared: { trainable }, replies, first, memory }, i) => ({
    side: rivals[i]!.side.name,
    method: rivals[i]!.method,
    trainable,
    ms: replies.map(({ ms }) => ms),
    firstMs: first.ms,
    memory,
  }));
  const features = Object.hasOwn(PICTURES, cases[0]!.model_type)
    ? await measureFeatures(cases[0]!, launcher, { rounds, threads, folder })
    : undefined;
  return { name, runs, ...end, ...(features && { features }), versions: measured.at(-1)?.prepared.versions };
}

/** Families of pictures, for which a linear probe reads many features. */
const PICTURES = { dinov2: true, vit: true };

/** Measures how long the features of a batch take on every side, in processes of their own. */
async function measureFeatures(
  { name: _, ...benchCase }: BenchCase,
  launcher: Launcher,
  { rounds, threads, folder }: StepRows,
): Promise<StepResult['features']> {
  const rivals = launcher.sides.map((side) => {
    const request = { ...benchCase, dtype: side.dtype, threads, features: true };
    return { side, preparation: side.library === 'adalora' ? { ...request, folder } : request };
  });
  const { measured } = await measure<object, { ms: number }, undefined>(
    launcher,
    'step',
    rivals,
    rounds,
    'features',
    async () => undefined,
  );
  return measured.map(({ replies }, i) => ({
    side: rivals[i]!.side.name,
    pictures: benchCase.batch,
    ms: replies.map(({ ms }) => ms),
  }));
}
