import type { TaskModel } from '../objectives/task-model.ts';

/**
 * The linear modules of a model whose weights can be stored as integers: all except those of the head, which are
 * trained or produce the logits, and GPT-2's, which are stored transposed. Their rows are a multiple of `blockSize`
 * long.
 */
export function quantizedPaths({ linears, head }: TaskModel, blockSize = 1): Set<string> {
  const heads = [...head.modules, ...(head.mayLack ?? [])];
  const isHead = (path: string) => heads.some((module) => path === module || path.startsWith(`${module}.`));
  const fits = linears.filter(
    ({ path, inFeatures, transposed }) => !transposed && inFeatures % blockSize === 0 && !isHead(path),
  );
  return new Set(fits.map(({ path }) => path));
}
