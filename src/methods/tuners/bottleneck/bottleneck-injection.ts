import { add, matmul } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { activation } from '../../../models/nn/activation.ts';
import type { Injection, Sublayer, SublayerEnd } from '../../../models/nn/network.ts';
import type { ParameterLayout } from '../parameter-layout.ts';
import { type BottleneckPart, partName } from './bottleneck-site.ts';

/** How an adapter computes. */
export interface BottleneckForm {
  /**
   * The adapter's input. `output`: the sublayer's output h. `norm`: the layer's result without an adapter, which is the
   * norm of h + residual, or the sum if no norm follows (AdapterHub's `original_ln_before`).
   */
  reads: 'output' | 'norm';
  /** The activation's name. */
  nonLinearity: string;
}

/**
 * Puts adapters into a network, after the modules that call `sublayer`. In decoders, these are `self_attn` and `mlp`
 * (GPT-2: `attn` and `mlp`), and h goes to the residual sum. In Gemma 2 and OLMo 2, h first goes through a norm.
 *
 * The sublayer's output h is replaced by h + up(activation(down(input))).
 */
export class BottleneckInjection implements Injection {
  readonly #layout: ParameterLayout;
  readonly #flat: Value;
  readonly #reads: BottleneckForm['reads'];
  readonly #activate: (x: Value) => Value;

  constructor(layout: ParameterLayout, flat: Value, { reads, nonLinearity }: BottleneckForm) {
    this.#layout = layout;
    this.#flat = flat;
    this.#reads = reads;
    this.#activate = activation(nonLinearity, 'non_linearity');
  }

  parameter(name: string): Value | undefined {
    return this.#layout.find(name) && this.#layout.value(this.#flat, name);
  }

  increments(paths: readonly string[]): undefined[] {
    return paths.map(() => undefined);
  }

  sublayer(sublayer: Sublayer, h: Value, end: SublayerEnd): Value | undefined {
    if (!this.#layout.find(partName(sublayer, 'down'))) return undefined;
    const part = (name: BottleneckPart) => this.#layout.value(this.#flat, partName(sublayer, name));
    return add(bottleneck(inputOf(this.#reads, h, end), this.#activate, part), h);
  }
}

/** The adapter's input after a sublayer with output h. */
export function inputOf(reads: BottleneckForm['reads'], h: Value, { residual, norm }: SublayerEnd): Value {
  if (reads === 'output') return h;
  const whole = add(h, residual);
  return norm?.(whole) ?? whole;
}

/** up(activation(down(x))) */
export function bottleneck(
  x: Value,
  activate: (x: Value) => Value,
  part: (name: BottleneckPart) => Value,
): Value {
  const linear = (x: Value, weight: BottleneckPart, bias: BottleneckPart) =>
    add(matmul(x, part(weight), { transposeB: true }), part(bias));
  return linear(activate(linear(x, 'down', 'downBias')), 'up', 'upBias');
}
