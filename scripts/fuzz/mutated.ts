import { Random } from '../../src/support/random.ts';

/** Tokens that often break readers. */
const TOKENS = [
  'null',
  '-1',
  '1e309',
  '4294967296',
  '[]',
  '{}',
  '""',
  '\\ud800',
  '\u001b[2J',
  '{{',
  '*a',
  '&a',
  '\0',
  ',',
  '\n',
  '{%',
];

/** Changes a file in one to four ways: alters bits or bytes, or removes, doubles, moves or replaces a piece. */
export function mutated(bytes: Uint8Array, seed: number, index: number): Uint8Array {
  const random = new Random(seed, 'fuzz', index);
  let changed: Uint8Array = new Uint8Array(bytes);
  for (let left = 1 + random.integer(4); left > 0; left--)
    changed = CHANGES[random.integer(CHANGES.length)]!(changed, random);
  return changed;
}

type Change = (bytes: Uint8Array, random: Random) => Uint8Array;

const CHANGES: readonly Change[] = [
  (bytes, random) => {
    if (bytes.length > 0) bytes[random.integer(bytes.length)]! ^= 1 << random.integer(8);
    return bytes;
  },
  (bytes, random) => {
    if (bytes.length > 0) bytes[random.integer(bytes.length)] = random.integer(256);
    return bytes;
  },
  (bytes, random) => bytes.slice(0, random.integer(bytes.length + 1)),
  (bytes, random) => {
    const [start, end] = span(bytes, random);
    return joined(bytes.subarray(0, start), bytes.subarray(end));
  },
  (bytes, random) => {
    const [start, end] = span(bytes, random);
    const times = 1 + random.integer(1 << random.integer(8));
    return joined(
      bytes.subarray(0, end),
      ...Array.from({ length: times }, () => bytes.subarray(start, end)),
      bytes.subarray(end),
    );
  },
  (bytes, random) => {
    const [start, end] = span(bytes, random);
    const token = new TextEncoder().encode(TOKENS[random.integer(TOKENS.length)]);
    return joined(bytes.subarray(0, start), token, bytes.subarray(random.uniform() < 0.5 ? start : end));
  },
  // Replaces a number.
  (bytes, random) => {
    const text = new TextDecoder('latin1').decode(bytes);
    const numbers = [...text.matchAll(/\d+/g)];
    if (numbers.length === 0) return bytes;
    const { index, 0: digits } = numbers[random.integer(numbers.length)]!;
    const other = new TextEncoder().encode(TOKENS[1 + random.integer(3)]);
    return joined(bytes.subarray(0, index), other, bytes.subarray(index + digits.length));
  },
];

function span(bytes: Uint8Array, random: Random): [number, number] {
  const start = random.integer(bytes.length + 1);
  return [start, Math.min(bytes.length, start + 1 + random.integer(1 << random.integer(9)))];
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Uint8Array(Math.min(length, 2 ** 22));
  let at = 0;
  for (const part of parts) {
    whole.set(part.subarray(0, whole.length - at), at);
    at = Math.min(whole.length, at + part.length);
  }
  return whole;
}
