import { add, gather, input } from '../../../engine/graph/build.ts';
import type { Graph, Value } from '../../../engine/graph/graph.ts';
import { BATCH, type BankForm, type BankReader, NotMixed } from '../../../methods/tuners/bank/bank-form.ts';
import type { PackedAdapter } from '../../../methods/tuners/bank/packed-adapter.ts';
import type {
  FrozenModule,
  Injection,
  LinearModule,
  Sublayer,
  SublayerEnd,
} from '../../../models/nn/network.ts';
import type { BankShape } from './bank-shape.ts';

/** Name of the input with the slot of each example's adapter, int32 [batch]. */
export const SLOTS = 'slots';

/** An input of the graph with one tensor of every slot: [slots, ...shape]. */
export interface BankPart {
  name: string;
  shape: readonly number[];
  /** Writes an adapter's numbers to a slot's memory, which is zero before. */
  write(adapter: PackedAdapter, slot: Float32Array): void;
}

/**
 * Applies different adapters to the rows of a batch. Every row reads its adapter from its slot. Smaller adapters are
 * padded with zeros, which do not change the result.
 */
export class BankInjection implements Injection {
  /** In the order in which the graph was built. */
  readonly parts: BankPart[] = [];
  readonly #forms: readonly ReturnType<BankForm['inject']>[];
  readonly #left: Set<string>;

  /**
   * @param base returns a parameter of the base model, for adapters that do not replace it
   */
  constructor(graph: Graph, shape: BankShape, slots: number, base: BankReader['base']) {
    const named = input(graph, SLOTS, 'int32', [BATCH]);
    /** Tensors that have been read, by name. A module that is used twice reads each of them once. */
    const rows = new Map<string, Value>();
    const readerOf = (key: string): BankReader => ({
      base,
      read: (part, shape, write) => {
        const name = `${key} ${part}`;
        const known = rows.get(name);
        if (known) return known;
        this.parts.push({
          name,
          shape,
          write: (adapter, slot) => write(adapter.get(key)?.pieces ?? new Map(), slot),
        });
        const read = gather(input(graph, name, 'float32', [slots, ...shape]), named);
        rows.set(name, read);
        return read;
      },
    });
    // Sorted, so that sums do not depend on which adapter was loaded first.
    const forms = [...shape].sort(([a], [b]) => (a < b ? -1 : 1));
    this.#forms = forms.map(([key, { form, sizes }]) => form.inject(readerOf(key), sizes));
    this.#left = new Set(forms.flatMap(([, { sizes }]) => [...sizes.keys()]));
  }

  /** @throws NotMixed if a module of the shape does not exist in the network */
  assertAllMet(): void {
    for (const path of this.#left) throw new NotMixed(path, 'is not a linear module, layer norm or sublayer');
  }

  parameter(): undefined {
    return undefined;
  }

  increments(paths: readonly string[], x: Value): (Value | undefined)[] {
    const all = this.#forms.flatMap((form) => (form.increments ? [form.increments(paths, x)] : []));
    return paths.map((_, i) => {
      const [first, ...others] = all.flatMap((increments) => increments[i] ?? []);
      return first && others.reduce(add, first);
    });
  }

  linear(module: LinearModule, bias: boolean, x: Value): Value | undefined {
    const read = this.input(module.path, x);
    return this.#forms.flatMap((form) => form.linear?.(module, bias, read) ?? [])[0];
  }

  input(path: string, x: Value): Value {
    return this.#forms.reduce((x, form) => form.input?.(path, x) ?? x, x);
  }

  output(path: string, y: Value, x: Value, module?: FrozenModule): Value {
    this.#left.delete(path);
    return this.#forms.reduce((y, form) => form.output?.(path, y, x, module) ?? y, y);
  }

  sublayer(sublayer: Sublayer, h: Value, end: SublayerEnd): Value {
    this.#left.delete(sublayer.path);
    return this.#forms.reduce((h, form) => form.sublayer?.(sublayer, h, end) ?? h, h);
  }
}
