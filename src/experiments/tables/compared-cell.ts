import type { TableCell } from './table-cells.ts';

/**
 * Returns the cell that a row's cell on a task is compared with: the one of the table's reference method at the same
 * level. Undefined for cells without a level, such as BitFit, and for the reference itself.
 */
export function comparedCell(
  cells: readonly TableCell[],
  { row, task }: Pick<TableCell, 'row' | 'task'>,
  reference: string | undefined,
): TableCell | undefined {
  const own = cells.find((cell) => cell.row === row && cell.task === task);
  if (own?.method === reference || own?.level === undefined) return undefined;
  return cells.find(
    ({ method, level, ...cell }) => cell.task === task && level === own.level && method === reference,
  );
}
