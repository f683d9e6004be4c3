import { AT_START, factorOf, type LowRankModule } from '../low-rank/factors.ts';

type Read = (name: string) => Float32Array;

/**
 * Modules of plain LoRA with twice the rank, at the same scale. The second half subtracts the initial increment, so
 * that the adapter fits the original weight.
 */
export function doubledModules(modules: readonly LowRankModule[]): LowRankModule[] {
  return modules.map((module) => ({ ...module, rank: 2 * module.rank }));
}

/** The factors [B, -B₀] and [A; A₀] of these modules, as PEFT converts them. */
export function doubledFactors(modules: readonly LowRankModule[], read: Read): Read {
  const ranks = new Map(modules.map(({ path, rank }) => [path, rank]));
  return (name) => {
    const now = read(name);
    const own = factorOf(name);
    if (!own || own.factor === 'M') return now;
    const start = read(name + AT_START);
    if (own.factor === 'A') return Float32Array.from([...now, ...start]);
    const rank = ranks.get(own.path)!;
    return Float32Array.from({ length: 2 * now.length }, (_, i) => {
      const [row, column] = [Math.floor(i / (2 * rank)), i % (2 * rank)];
      return column < rank ? now[row * rank + column]! : -start[row * rank + column - rank]!;
    });
  };
}

/** PEFT's settings for these modules: twice the rank, at the same scale. */
export function doubledKeys(config: {
  r: number;
  lora_alpha: number;
  use_rslora: boolean;
  rank_pattern: Readonly<Record<string, number>>;
  alpha_pattern: Readonly<Record<string, number>>;
}) {
  const factor = config.use_rslora ? Math.SQRT2 : 2;
  const times = (pattern: Readonly<Record<string, number>>, factor: number) =>
    Object.fromEntries(Object.entries(pattern).map(([key, value]) => [key, value * factor]));
  return {
    init_lora_weights: true,
    r: 2 * config.r,
    lora_alpha: config.lora_alpha * factor,
    rank_pattern: times(config.rank_pattern, 2),
    alpha_pattern: times(config.alpha_pattern, factor),
  };
}
