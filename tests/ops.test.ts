import { describe, expect, it } from 'vitest';
import { derivatives } from '../src/engine/autodiff/derivatives.ts';
import { opCases } from './ops/cases.ts';
import { cpu, wasm } from './support/backends.ts';
import { checkOp } from './support/check-op.ts';

/** Checked elsewhere: an input is an operand of every case; a weight needs a file (external-weights.test.ts). */
const LEAVES = ['input', 'weight'];

it('every op has cases that use it', () => {
  expect([...LEAVES, ...Object.keys(opCases)].sort()).toEqual(Object.keys(derivatives).sort());
  for (const [op, ofOp] of Object.entries(opCases)) {
    expect(
      ofOp.some(({ ops }) => ops.has(op)),
      op,
    ).toBe(true);
  }
});

describe.each([cpu, wasm])('on $name', (backend) => {
  for (const [op, ofOp] of Object.entries(opCases)) {
    describe(op, () => {
      for (const opCase of ofOp) {
        it(opCase.name, ({ skip }) => {
          const reason = backend.skips[opCase.name];
          return reason ? skip(reason) : checkOp(opCase, backend);
        });
      }
    });
  }
});
