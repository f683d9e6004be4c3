import { dataFigures, REFERENCE, stepFigures } from '../figures.ts';
import type { BenchResults } from '../results.ts';
import type { SideName } from '../sides.ts';

/** The measurements of all other sides in one bench row, relative to the reference. */
export interface RatioGroup {
  name: string;
  bars: { side: SideName; speed: number; memory: number }[];
}

/** Speed and peak memory of AdaLoRA training in every row. Throws if PEFT was not measured. */
export function ratioGroups({ steps, data }: BenchResults): RatioGroup[] {
  const ofSteps = steps.map((result) => {
    const figures = stepFigures(result);
    return group(`${result.name}: a step`, figures, ({ adalora, memory }) => ({ rate: 1 / adalora, memory }));
  });
  const ofData = data.map((result) => {
    const figures = dataFigures(result);
    const name = `${result.name} with MiniLM: examples per second`;
    return group(name, figures, ({ train, trainMemory }) => ({ rate: train, memory: trainMemory }));
  });
  return [...ofSteps, ...ofData];
}

function group<Figures extends { side: SideName }>(
  name: string,
  figures: readonly Figures[],
  read: (figures: Figures) => { rate: number; memory: number },
): RatioGroup {
  const reference = figures.find(({ side }) => side === REFERENCE);
  if (!reference) throw new Error(`${name}: ${REFERENCE} was not measured; run the bench with BENCH_PYTHON`);
  const one = read(reference);
  const others = figures.filter((figure) => figure !== reference);
  return {
    name: name.replaceAll(' x ', ' × '),
    bars: others.map((figure) => {
      const { rate, memory } = read(figure);
      return { side: figure.side, speed: rate / one.rate, memory: memory / one.memory };
    }),
  };
}
