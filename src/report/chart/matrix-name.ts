/** A short name for a column of a rank table. It saves space beside a picture. */
export function matrixName(column: string): string {
  return column.replace(/\.dense$/, '').replace('attention.output', 'attn. output');
}
