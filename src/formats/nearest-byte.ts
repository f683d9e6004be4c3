/** Rounds a number from -127 to 127 to the nearest integer. Math.round takes three times as long. */
export function nearestByte(value: number): number {
  return ((value + 127.5) | 0) - 127;
}
