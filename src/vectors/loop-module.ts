import type { Expression, Operator } from './expression.ts';

/** A loop over vectors that are stored one after the other in its memory. */
export interface LoopCode {
  vectors: readonly string[];
  scalars: readonly string[];
  /** The vectors that the loop changes, each with the expression for its new value. */
  results: Readonly<Record<string, Expression>>;
  /** Number of elements that the memory has for each vector, a multiple of 4. */
  room: number;
}

/** Codes of WebAssembly's binary format (specification 2.0, chapter 5). */
const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;
const FUNCTION = 0x60;
const [LOOP, END, BRANCH_IF, DROP] = [[0x03, 0x40], [0x0b], [0x0d, 0x00], [0x1a]];
const [GET, SET, TEE] = [0x20, 0x21, 0x22];
const [I32_CONST, I32_ADD, I32_LESS] = [0x41, 0x6a, 0x49];
/** SIMD opcodes: load, store and splat of 32-bit floats. */
const [LOAD, STORE, SPLAT] = [0x00, 0x0b, 0x13].map((code) => [0xfd, code]) as [number[], number[], number[]];
const OPERATORS: Record<Operator, number[]> = {
  absolute: [0xfd, 0xe0, 0x01],
  root: [0xfd, 0xe3, 0x01],
  add: [0xfd, 0xe4, 0x01],
  subtract: [0xfd, 0xe5, 0x01],
  multiply: [0xfd, 0xe6, 0x01],
  divide: [0xfd, 0xe7, 0x01],
};

const PAGE_BYTES = 65536;
const FLOAT32_BYTES = 4;
/** Number of elements of each vector per iteration. */
export const LANES = 4;
const STRIDE = LANES * FLOAT32_BYTES;

/**
 * Encodes a module with a `memory` and with `run(bytes, ...scalars)`. `run` processes `bytes` bytes of each vector: a
 * multiple of 16, at least 16. It computes in 32 bits. For each element, it reads all inputs before it writes.
 */
export function loopModule(code: LoopCode): Uint8Array<ArrayBuffer> {
  const { vectors, scalars, room } = code;
  const pages = Math.ceil((vectors.length * room * FLOAT32_BYTES) / PAGE_BYTES);
  const { instructions, lanes } = loopFunction(code);
  const locals = list([
    [...unsigned(1), I32],
    [...unsigned(lanes), V128],
  ]);
  const sections: [id: number, content: number[]][] = [
    [1, list([[FUNCTION, ...list([[I32], ...scalars.map(() => [F32])]), ...list([])]])],
    [3, list([unsigned(0)])],
    [5, list([[0, ...unsigned(pages)]])],
    [
      7,
      list([
        [...text('run'), 0, 0],
        [...text('memory'), 2, 0],
      ]),
    ],
    [10, list([sized([...locals, ...instructions])])],
  ];
  const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  return Uint8Array.from([...magic, ...sections.flatMap(([id, content]) => [id, ...sized(content)])]);
}

/**
 * Encodes the loop's instructions. Each expression is computed once and kept in a local of four elements. `lanes` is
 * the number of these locals. They come after the parameters and the offset.
 */
function loopFunction({ vectors, scalars, results, room }: LoopCode) {
  const bytes = 0;
  const offset = 1 + scalars.length;
  let last = offset;
  // Scalars have their names as keys, other expressions their object: an expression that is used twice is one object.
  const locals = new Map<unknown, number>(scalars.map((name) => [name, ++last]));
  const get = (local: number) => [GET, ...unsigned(local)];
  // Aligned to 2⁴ bytes.
  const place = (vector: string) => [4, ...unsigned(vectors.indexOf(vector) * room * FLOAT32_BYTES)];
  const compute = (expression: Expression): number[] => {
    const known = locals.get(expression.op === 'scalar' ? expression.name : expression);
    if (known !== undefined) return get(known);
    const made =
      'operands' in expression
        ? [...expression.operands.flatMap(compute), ...OPERATORS[expression.op]]
        : [...get(offset), ...LOAD, ...place(expression.name)];
    locals.set(expression, ++last);
    return [...made, TEE, ...unsigned(last)];
  };
  const spread = scalars.flatMap((_, i) => [...get(1 + i), ...SPLAT, SET, ...unsigned(offset + 1 + i)]);
  const computed = Object.values(results).flatMap((result) => [...compute(result), ...DROP]);
  const stored = Object.entries(results).flatMap(([vector, result]) => [
    ...[...get(offset), ...compute(result)],
    ...[...STORE, ...place(vector)],
  ]);
  const next = [...get(offset), I32_CONST, STRIDE, I32_ADD, TEE, ...unsigned(offset)];
  const again = [...get(bytes), I32_LESS, ...BRANCH_IF];
  return {
    instructions: [...spread, ...LOOP, ...computed, ...stored, ...next, ...again, ...END, ...END],
    lanes: last - offset,
  };
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function sized(content: readonly number[]): number[] {
  return [...unsigned(content.length), ...content];
}

function text(value: string): number[] {
  return sized([...new TextEncoder().encode(value)]);
}

/** Encodes an integer as LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...unsigned(Math.floor(value / 128))];
}
