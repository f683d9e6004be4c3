/** A loop over vectors that are stored one after the other in its memory. */
interface LoopCode {
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
const LANES = 4;

const STRIDE = LANES * FLOAT32_BYTES;

/**
 * Encodes a module with a `memory` and with `run(bytes, ...scalars)`. `run` processes `bytes` bytes of each vector: a
 * multiple of 16, at least 16. It computes in 32 bits. For each element, it reads all inputs before it writes.
 */
function loopModule(code: LoopCode): Uint8Array<ArrayBuffer> {
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

/** How an element of the result is computed from elements of vectors and from scalars. */
type Expression =
  | { op: 'vector' | 'scalar'; name: string }
  | { op: Operator; operands: readonly Expression[] };

type Operator = 'absolute' | 'root' | 'add' | 'subtract' | 'multiply' | 'divide';

export const takeAbsolute = (x: Expression): Expression => ({ op: 'absolute', operands: [x] });

export const root = (x: Expression): Expression => ({ op: 'root', operands: [x] });

export const addExpressions = (x: Expression, y: Expression): Expression => ({ op: 'add', operands: [x, y] });

export const subtractExpressions = (x: Expression, y: Expression): Expression => ({
  op: 'subtract',
  operands: [x, y],
});

export const multiplyExpressions = (x: Expression, y: Expression): Expression => ({
  op: 'multiply',
  operands: [x, y],
});

export const divideExpressions = (x: Expression, y: Expression): Expression => ({
  op: 'divide',
  operands: [x, y],
});

/** Number of elements of each vector per call. Six such vectors fit into a core's cache. */
const ROOM = 4096;

/**
 * A loop over vectors of equal length, four elements at a time, in WebAssembly. Each operation is rounded to 32 bits,
 * as in PyTorch and as with `Math.fround`.
 */
export class VectorLoop<Vector extends string, Scalar extends string> {
  readonly #run: (bytes: number, ...scalars: number[]) => void;
  readonly #scalars: readonly Scalar[];
  /** For each vector, its part of the loop's memory. */
  readonly #parts: readonly { name: Vector; part: Float32Array; changes: boolean }[];

  /** @param build returns the new values of the changed vectors, as functions of the old values */
  constructor(
    vectors: readonly Vector[],
    scalars: readonly Scalar[],
    build: (of: Record<Vector | Scalar, Expression>) => Partial<Record<Vector, Expression>>,
  ) {
    const leaves: [string, Expression][] = [
      ...vectors.map((name): [string, Expression] => [name, { op: 'vector', name }]),
      ...scalars.map((name): [string, Expression] => [name, { op: 'scalar', name }]),
    ];
    const results = build(Object.fromEntries(leaves) as Record<Vector | Scalar, Expression>);
    const bytes = loopModule({
      vectors,
      scalars,
      results: results as Record<string, Expression>,
      room: ROOM,
    });
    const { run, memory } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    const { buffer } = memory as WebAssembly.Memory;
    this.#run = run as (bytes: number, ...scalars: number[]) => void;
    this.#scalars = scalars;
    this.#parts = vectors.map((name, i) => ({
      name,
      part: new Float32Array(buffer, i * ROOM * Float32Array.BYTES_PER_ELEMENT, ROOM),
      changes: name in results,
    }));
  }

  /** Updates the vectors in place. They must have the same length and not overlap. */
  run(vectors: Readonly<Record<Vector, Float32Array>>, scalars: Readonly<Record<Scalar, number>>): void {
    const numbers = this.#scalars.map((name) => scalars[name]);
    const { length } = vectors[this.#parts[0]!.name];
    for (let start = 0; start < length; start += ROOM) {
      const end = Math.min(start + ROOM, length);
      for (const { name, part } of this.#parts) part.set(vectors[name].subarray(start, end));
      // The last lanes may reach beyond the end. The elements there are computed and ignored.
      this.#run(Float32Array.BYTES_PER_ELEMENT * LANES * Math.ceil((end - start) / LANES), ...numbers);
      for (const { name, part, changes } of this.#parts)
        if (changes) vectors[name].set(part.subarray(0, end - start), start);
    }
  }
}
