/** How an element of the result is computed from elements of vectors and from scalars. */
export type Expression =
  | { op: 'vector' | 'scalar'; name: string }
  | { op: Operator; operands: readonly Expression[] };

export type Operator = 'absolute' | 'root' | 'add' | 'subtract' | 'multiply' | 'divide';

export const absolute = (x: Expression): Expression => ({ op: 'absolute', operands: [x] });
export const root = (x: Expression): Expression => ({ op: 'root', operands: [x] });
export const add = (x: Expression, y: Expression): Expression => ({ op: 'add', operands: [x, y] });
export const subtract = (x: Expression, y: Expression): Expression => ({ op: 'subtract', operands: [x, y] });
export const multiply = (x: Expression, y: Expression): Expression => ({ op: 'multiply', operands: [x, y] });
export const divide = (x: Expression, y: Expression): Expression => ({ op: 'divide', operands: [x, y] });
