/** A short name for a column of a rank table, because there is little room beside a picture. */
export function matrixName(column: string): string {
  return column.replace(/\.dense$/, '').replace('attention.output', 'attn. output');
}
