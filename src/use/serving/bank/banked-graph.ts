import type { Value } from '../../../engine/graph/graph.ts';
import { baseParameters } from '../../../methods/tuners/bank/packed-adapter.ts';
import { FROZEN, type Tuner } from '../../../methods/tuners/tuner.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { elementCount } from '../../../support/arrays.ts';
import { AdapterBank } from './adapter-bank.ts';
import { BankInjection, type BankPart } from './bank-injection.ts';
import type { BankShape } from './bank-shape.ts';

/** Default size of a bank, in bytes. */
const BANK_BYTES = 2 ** 28;
/** Limits for the number of slots in that memory. */
const [MAX_SLOTS, MIN_SLOTS] = [64, 4];

/** A model's graph, and the bank from which rows read their adapters. */
export interface BankedGraph<Made> {
  graph: Made;
  bank: AdapterBank;
}

/**
 * Builds a graph of a model with a bank for adapters.
 *
 * @param build builds the graph with a tuner that represents all adapters
 * @param slots number of adapters with a slot; by default as many as fit into a fixed amount of memory
 * @throws NotMixed for modules with adapters that cannot differ between rows
 */
export function bankedGraph<Made>(
  model: LoadedModel,
  shape: BankShape,
  build: (tuner: Tuner) => Made,
  slots?: number,
): BankedGraph<Made> {
  const base = baseParameters(model);
  const attempt = (count: number) => {
    let injection: BankInjection | undefined;
    const inject = (flat: Value) => {
      injection = new BankInjection(flat.node.graph, shape, count, base);
      return injection;
    };
    const graph = build({ ...FROZEN.tuner, inject });
    injection?.assertAllMet();
    return { graph, parts: injection?.parts ?? [] };
  };
  const count = slots ?? slotsFor(attempt(1).parts);
  const { graph, parts } = attempt(count);
  return { graph, bank: new AdapterBank(parts, count) };
}

function slotsFor(parts: readonly BankPart[]): number {
  const bytes = parts.reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
  return Math.max(MIN_SLOTS, Math.min(MAX_SLOTS, Math.floor(BANK_BYTES / Math.max(bytes, 1))));
}
