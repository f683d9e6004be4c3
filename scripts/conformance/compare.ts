/** The largest deviation of a kind, and its limit. */
export interface Deviation {
  value: number;
  limit: number;
  /** The tensor or step with this deviation. */
  at: string;
}

/** The results of a case's comparisons: deviations by kind, and other errors. */
export class Findings {
  readonly deviations = new Map<string, Deviation>();
  readonly faults: string[] = [];
  readonly notes: string[] = [];

  /**
   * Records a deviation. For each kind, the deviation that is largest relative to its limit is kept. NaN
   * counts as largest.
   */
  deviation(kind: string, value: number, limit: number, at: string): void {
    const known = this.deviations.get(kind);
    if (!known || excess(value, limit) > excess(known.value, known.limit)) {
      this.deviations.set(kind, { value, limit, at });
    }
  }

  /** Compares two numbers by their relative difference. */
  relative(kind: string, actual: number, expected: number, limit: number, at: string): void {
    const difference = Math.abs(actual - expected);
    this.deviation(kind, difference === 0 ? 0 : difference / Math.abs(expected), limit, at);
  }

  /** Compares two tensors by their largest difference. */
  tensor(kind: string, actual: ArrayLike<number>, expected: ArrayLike<number>, limit: number, at: string) {
    this.deviation(kind, largestDifference(actual, expected), limit, at);
  }

  equal(what: string, actual: unknown, expected: unknown): void {
    const [ours, theirs] = [JSON.stringify(actual), JSON.stringify(expected)];
    if (ours !== theirs) this.faults.push(`${what}: expected ${shortened(theirs)}, got ${shortened(ours)}`);
  }

  /** Compares two sets of names. */
  names(what: string, actual: Iterable<string>, expected: Iterable<string>): void {
    const [ours, theirs] = [new Set(actual), new Set(expected)];
    const missing = [...theirs].filter((name) => !ours.has(name));
    const extra = [...ours].filter((name) => !theirs.has(name));
    if (missing.length > 0) this.faults.push(`${what}: missing ${shortened(missing.join(', '))}`);
    if (extra.length > 0) this.faults.push(`${what}: not expected ${shortened(extra.join(', '))}`);
  }

  get passed(): boolean {
    return (
      this.faults.length === 0 && [...this.deviations.values()].every(({ value, limit }) => value <= limit)
    );
  }
}

/** The largest difference of two lists. Infinity if their lengths differ, NaN if a value is NaN. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

export function largestMagnitude(x: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i]!));
  return largest;
}

function excess(value: number, limit: number): number {
  if (Number.isNaN(value)) return Number.POSITIVE_INFINITY;
  return value === 0 ? 0 : value / limit;
}

function shortened(text = 'nothing'): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
