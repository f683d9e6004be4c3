/** A tensor in double precision, read by index: `a(i, j)`. References of op tests use it. */
export interface Table {
  (...index: number[]): number;
  readonly shape: readonly number[];
  /** Row-major. Changing an element changes the table. */
  readonly data: Float64Array;
}

/** Makes a table from existing elements. */
export function tableOf(shape: readonly number[], data: Float64Array): Table {
  const read = (...index: number[]) => {
    if (index.length !== shape.length) throw new Error(`${index.length} indices into [${shape}]`);
    return data[index.reduce((offset, at, axis) => offset * shape[axis]! + at, 0)]!;
  };
  return Object.assign(read, { shape, data });
}

/** Makes a table. Its element at (i, j, …) is `element(i, j, …)`. */
export function table(shape: readonly number[], element: (...index: number[]) => number): Table {
  const data = new Float64Array(shape.reduce((a, b) => a * b, 1));
  const index = shape.map(() => 0);
  for (let position = 0; position < data.length; position++) {
    data[position] = element(...index);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return tableOf(shape, data);
}

/** The sum f(0) + f(1) + … + f(n - 1). */
export function total(n: number, f: (i: number) => number): number {
  let result = 0;
  for (let i = 0; i < n; i++) result += f(i);
  return result;
}
