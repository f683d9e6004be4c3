import type { TaskModel } from '../objectives/task-model.ts';

/**
 * The paths of a model's linear modules that can be stored as integers: their rows are a multiple of
 * `blockSize` long. Modules of the head are excluded, because they are trained or produce the logits. GPT-2's
 * modules are excluded, because their weights are stored transposed.
 */
export function quantizedPaths({ linears, head }: TaskModel, blockSize = 1): Set<string> {
  const heads = [...head.modules, ...(head.mayLack ?? [])];
  const isHead = (path: string) => heads.some((module) => path === module || path.startsWith(`${module}.`));
  const fits = linears.filter(
    ({ path, inFeatures, transposed }) => !transposed && inFeatures % blockSize === 0 && !isHead(path),
  );
  return new Set(fits.map(({ path }) => path));
}
