/** Formats a speed relative to another, with its target. Empty if the speed is undefined. */
export function times(ratio: number | undefined, atLeast?: number): string {
  return cell(ratio && `${ratio.toFixed(2)}x`, atLeast && `>= ${atLeast}`);
}

/** Formats a share, with its target. */
export function share(ratio: number | undefined, atMost?: number, digits = 2): string {
  return cell(ratio?.toFixed(digits), atMost && `<= ${atMost}`);
}

function cell(value: string | 0 | undefined, target: string | 0 | undefined): string {
  if (!value) return '';
  return target ? `${value} (${target})` : value;
}

/** Aligns rows as lines of text: the first column to the left, the others to the right. Empty columns are omitted. */
export function aligned(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = heads.flatMap((_, column) =>
    column === 0 || rows.some((row) => row[column]) ? [column] : [],
  );
  const widths = shown.map((column) =>
    Math.max(...[heads, ...rows].map((row) => row[column]!.trim().length)),
  );
  const line = (row: readonly string[]) =>
    shown
      .map((column, i) =>
        i === 0 ? row[column]!.padEnd(widths[i]!) : row[column]!.trim().padStart(widths[i]!),
      )
      .join('  ')
      .trimEnd();
  return [heads, ...rows].map(line).join('\n');
}
