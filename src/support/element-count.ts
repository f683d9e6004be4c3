export function elementCount(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
