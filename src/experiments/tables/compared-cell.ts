import type { TableCell } from './table-cells.ts';

/**
 * Returns the cell with which a cell is compared: the table's reference method at the same level, on the same
 * task. Undefined for the reference itself, and for cells without a level, such as BitFit.
 */
export function comparedCell(
  cells: readonly TableCell[],
  { row, task }: Pick<TableCell, 'row' | 'task'>,
  reference: string | undefined,
): TableCell | undefined {
  const thisCell = cells.find((cell) => cell.row === row && cell.task === task);
  if (thisCell?.method === reference || thisCell?.level === undefined) return undefined;
  return cells.find(
    ({ method, level, ...cell }) => cell.task === task && level === thisCell.level && method === reference,
  );
}
