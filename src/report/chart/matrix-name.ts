/** A column of a rank table in few letters, as room beside a picture is scarce. */
export function matrixName(column: string): string {
  return column.replace(/\.dense$/, '').replace('attention.output', 'attn. output');
}
