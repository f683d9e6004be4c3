import { describe, expect, it } from 'vitest';
import {
  addDimensions,
  type Dimension,
  dimensionSize,
  divideDimension,
  evaluateDimension,
  multiplyDimensions,
  sameDimension,
  sameShape,
  symbol,
} from './dimension.ts';

const batch = symbol('batch');
const sequence = symbol('sequence');
const negative = (size: Dimension) => multiplyDimensions(size, -1);

describe('a symbolic size', () => {
  it.each<[Dimension, string]>([
    [batch, 'batch'],
    [multiplyDimensions(batch, 3), '3*batch'],
    [multiplyDimensions(3, batch), '3*batch'],
    [multiplyDimensions(sequence, batch), 'batch*sequence'],
    [multiplyDimensions(batch, batch), 'batch*batch'],
    [addDimensions(batch, 1), 'batch+1'],
    [addDimensions(1, batch), 'batch+1'],
    [addDimensions(batch, -1), 'batch-1'],
    [addDimensions(batch, batch), '2*batch'],
    [addDimensions(batch, sequence), 'sequence+batch'],
    [addDimensions(sequence, batch), 'sequence+batch'],
    [multiplyDimensions(addDimensions(batch, 1), addDimensions(batch, -1)), 'batch*batch-1'],
    [multiplyDimensions(addDimensions(batch, 2), sequence), '2*sequence+batch*sequence'],
    [negative(batch), '-1*batch'],
  ])('%s has one canonical form', (size, text) => {
    expect(String(size)).toBe(text);
  });

  it.each<[Dimension, string | undefined]>([
    [batch, '1'],
    [multiplyDimensions(sequence, batch), 'sequence'],
    [multiplyDimensions(addDimensions(sequence, 2), batch), 'sequence+2'],
    [multiplyDimensions(batch, batch), 'batch'],
    [sequence, undefined],
    [addDimensions(batch, 1), undefined],
    [4, undefined],
  ])('%s is divided by batch', (size, quotient) => {
    expect(divideDimension(size, 'batch')?.toString()).toBe(quotient);
  });

  it.each<[Dimension, number]>([
    [addDimensions(batch, negative(batch)), 0],
    [multiplyDimensions(batch, 0), 0],
    [addDimensions(addDimensions(batch, 4), negative(batch)), 4],
    [addDimensions(2, 3), 5],
    [multiplyDimensions(2, 3), 6],
  ])('becomes a number when the symbols cancel', (size, number) => {
    expect(size).toBe(number);
  });

  it('equals only another with the same polynomial', () => {
    expect(sameDimension(batch, symbol('batch'))).toBe(true);
    expect(sameDimension(batch, sequence)).toBe(false);
    expect(sameDimension(3, 3)).toBe(true);
    expect(sameDimension(1, batch)).toBe(false);
    expect(sameShape([batch, 2], [symbol('batch'), 2])).toBe(true);
    expect(sameShape([batch], [batch, 1])).toBe(false);
  });

  it("evaluates with its symbols' values", () => {
    const size = addDimensions(
      multiplyDimensions(multiplyDimensions(batch, sequence), 2),
      addDimensions(sequence, -7),
    );
    expect(evaluateDimension(size, { batch: 4, sequence: 5 })).toBe(2 * 4 * 5 + 5 - 7);
    expect(evaluateDimension(6, {})).toBe(6);
    expect(() => evaluateDimension(size, { batch: 4 })).toThrow('no value for the symbolic size sequence');
  });

  it('counts the elements of a shape', () => {
    expect(String(dimensionSize([batch, 3, sequence, 2]))).toBe('6*batch*sequence');
    expect(dimensionSize([])).toBe(1);
  });
});
