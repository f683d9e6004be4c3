import { add, matmul, multiply, sqrt, sum, weight } from '../graph/build.ts';
import type { Dimension } from '../graph/dimension.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { type FrozenBase, NORMS } from './base/frozen-base.ts';
import { DropoutSites, type MaskSource } from './dropout.ts';

/** The changes that a tuner makes to a network while it is built. Paths are Hugging Face's, without `.weight`. */
export interface Injection {
  /** The trained value of a full parameter; undefined if it is frozen. */
  parameter(name: string): Value | undefined;
  /**
   * The increments of the outputs of linear modules that read the same `x` [rows, in]; undefined for modules without
   * one.
   */
  increments(paths: readonly string[], x: Value): readonly (Value | undefined)[];
  /** The output of a linear module for x [rows, in] if the tuner replaces its weight and bias; otherwise undefined. */
  linear?(module: LinearModule, bias: boolean, x: Value): Value | undefined;
  /** Replaces the input x [rows, in] of a linear module; undefined keeps x. */
  input?(path: string, x: Value): Value | undefined;
  /**
   * Replaces the output y of a linear module or a layer norm with input x, both rows; undefined keeps y. If x is the
   * same for all texts, the result may have rows for each text, sequence-major.
   *
   * @param module the linear module without the tuner's additions; undefined for a layer norm
   */
  output?(path: string, y: Value, x: Value, module?: FrozenModule): Value | undefined;
  /** Replaces a sublayer's output h [rows, width]; undefined keeps h. */
  sublayer?(sublayer: Sublayer, h: Value, end: SublayerEnd): Value | undefined;
  /**
   * Scalars [] with gradients that are statistics of a step (see the op `watch`). Call it once the network is built.
   */
  watched?(): readonly Value[];
}

/** A linear module of the base, however its weight W [out, in] is stored. */
export interface FrozenModule {
  /** x Wᵀ for any x [rows, in], without the bias. */
  product(x: Value): Value;
  /** The Euclidean length of each row of W: [out]. */
  norms(): Value;
  /** [out] */
  bias?: Value;
}

/** A part of a layer with a residual around it. A tuner may put an adapter after it. */
export interface Sublayer {
  /** The module that produces the sublayer's output, dropout included. */
  path: string;
  kind: 'attention' | 'crossAttention' | 'feedForward';
  /** Features of its output and of the residual. */
  width: number;
}

/** The steps that follow a sublayer's output h. */
export interface SublayerEnd {
  /** Added to h, [rows, width]. */
  residual: Value;
  /**
   * The family's norm after the sublayer: of the sum in encoders and BART, of h before the sum in Gemma 2 and OLMo 2.
   * Undefined if layers only have norms before their sublayers.
   */
  norm?: (x: Value) => Value;
}

/** A linear module that a tuner may adapt. */
export interface LinearModule {
  path: string;
  inFeatures: number;
  outFeatures: number;
  /** Whether the weight is stored as [in, out], as in GPT-2's `Conv1D`. */
  transposed?: boolean;
  /** Whether it reads the output of a layer norm directly (in training, dropout may be in between). */
  normalised?: boolean;
}

interface LinearOptions {
  /** Whether the module has a bias; by default true. */
  bias?: boolean;
  transposed?: boolean;
}

/**
 * Builds a model's graph. Model code requests parameters and modules by their Hugging Face paths. The network decides
 * whether a parameter is a frozen weight or a trained value, and records all requested ones.
 */
export class Network {
  /** Shape of every parameter, by name, in the order of use. */
  readonly parameters = new Map<string, readonly number[]>();
  /** The linear modules by path, in the order in which they were built. */
  readonly linears = new Map<string, LinearModule>();
  /** The x [rows, inFeatures] that each linear module reads, by path. */
  readonly linearInputs = new Map<string, Value>();
  /** The sublayers by path, in the order in which they were built. */
  readonly sublayers = new Map<string, Sublayer>();
  /** Shape of every tensor that no method trains, by name. It is zeros if the checkpoint lacks it. */
  readonly buffers = new Map<string, readonly number[]>();
  /** Set only in training: without it, dropout is the identity. */
  readonly dropouts: DropoutSites | undefined;
  /** The hidden states that layers start from: see {@link layerInput}. */
  readonly layerInputs: Value[] = [];
  /** The rounded form of frozen linear weights; undefined uses the checkpoint's weights. */
  base: FrozenBase | undefined;
  /** Whether the graph generates: see `FrozenBase.product`. */
  generates = false;
  /** The path of the weight of the logits over words. */
  words: string | undefined;
  /** The path of this part, a prefix of every path requested from it; '' for the whole network. */
  readonly path: string = '';
  /** The prefix that paths of this part omit: see {@link without}. */
  private readonly left: string = '';
  // `private` instead of #: a part of the network inherits these fields from the whole through its prototype, which #
  // does not support.
  private readonly injection: Injection | undefined;
  private readonly noiseAlpha: number;

  /**
   * @param options.noiseAlpha NEFTune's α, in training; by default 0
   */
  constructor(
    readonly graph: Graph,
    options: { injection?: Injection; training?: boolean; masks?: MaskSource; noiseAlpha?: number } = {},
  ) {
    this.injection = options.injection;
    this.noiseAlpha = options.noiseAlpha ?? 0;
    this.dropouts = options.training ? new DropoutSites(graph, options.masks) : undefined;
  }

  /** The part of the network below a path. It takes paths relative to that path, and shares everything else. */
  at(path: string): Network {
    return Object.create(this, { path: { value: this.pathOf(path) } });
  }

  /** The same network with `prefix` removed from its paths, as in a base model without a head. */
  without(prefix: string): Network {
    return Object.create(this, { left: { value: prefix } });
  }

  /** The full path of a parameter or module of this part. */
  pathOf(name: string): string {
    const path = this.path === '' ? name : `${this.path}.${name}`;
    if (this.left === '' || !`${path}.`.startsWith(`${this.left}.`)) return path;
    return path.slice(this.left.length + 1);
  }

  /** A parameter of the checkpoint: frozen, or trained if the tuner provides a value. */
  parameter(name: string, shape: readonly number[]): Value {
    const path = this.pathOf(name);
    this.parameters.set(path, shape);
    return this.injection?.parameter(path) ?? weight(this.graph, path, shape);
  }

  /** A tensor of the checkpoint that is always frozen. */
  buffer(name: string, shape: readonly number[]): Value {
    const path = this.pathOf(name);
    this.buffers.set(path, shape);
    return weight(this.graph, path, shape);
  }

  /**
   * Declares that a layer starts from this hidden state, and returns it. Gradient checkpointing keeps these states
   * (and other values that layers share), and computes the layers again for their gradients.
   */
  layerInput(hidden: Value): Value {
    this.layerInputs.push(hidden);
    return hidden;
  }

  /** x Wᵀ + b over the rows of x [rows, in], W [out, in]. */
  linear(path: string, x: Value, outFeatures: number, options: LinearOptions = {}): Value {
    return this.linearGroup([path], x, [outFeatures], options)[0];
  }

  /** Several linear modules on one input; a tuner may share work between them. */
  linearGroup(
    paths: readonly string[],
    x: Value,
    outFeatures: readonly number[],
    { bias = true, transposed = false }: LinearOptions = {},
  ): Value[] {
    const inFeatures = x.shape[1] as number;
    const whole = paths.map((path) => this.pathOf(path));
    const frozen = paths.map((path, i): { y: Value; own?: FrozenModule } => {
      const out = outFeatures[i];
      this.linearInputs.set(whole[i], x);
      const normalised = isNormalised(x);
      const module: LinearModule = {
        path: whole[i],
        inFeatures,
        outFeatures: out,
        ...(transposed && { transposed }),
        ...(normalised && { normalised }),
      };
      this.linears.set(whole[i], module);
      const replaced = this.injection?.linear?.(module, bias, x);
      if (replaced) return { y: replaced };
      const shape = transposed ? [inFeatures, out] : [out, inFeatures];
      const read = this.injection?.input?.(whole[i], x) ?? x;
      const product = this.product(path, read, shape, transposed);
      const shift = bias ? this.parameter(`${path}.bias`, [out]) : undefined;
      const frozenModule: FrozenModule = {
        product: (x) => this.product(path, x, shape, transposed),
        norms: () => this.norms(path, shape, transposed),
        bias: shift,
      };
      return { y: shift ? add(product, shift) : product, own: frozenModule };
    });
    const increments = this.injection?.increments(whole, x) ?? [];
    return frozen.map(({ y, own: frozenModule }, i) => {
      const increment = increments[i];
      return this.output(whole[i], increment ? add(y, increment) : y, x, frozenModule);
    });
  }

  /** The output y of the module at a full path that read x, or the tuner's replacement for it. */
  output(path: string, y: Value, x: Value, module?: FrozenModule): Value {
    return this.injection?.output?.(path, y, x, module) ?? y;
  }

  /** x Wᵀ with a weight of this path and shape, in the base's form; x W if it is transposed. */
  product(path: string, x: Value, shape: readonly number[], transposed = false): Value {
    const whole = this.pathOf(path);
    const { base, generates } = this;
    const isRounded = base?.paths.has(whole) || (generates && base?.words === whole);
    if (base && isRounded && !this.injection?.parameter(`${whole}.weight`)) {
      this.parameters.set(`${whole}.weight`, shape);
      return base.product(whole, x, shape[0], generates);
    }
    return matmul(x, this.parameter(`${path}.weight`, shape), { transposeB: !transposed });
  }

  /** The length of each row of a path's weight [out, in]. `shape` and `transposed` are as for {@link product}. */
  private norms(path: string, shape: readonly number[], transposed: boolean): Value {
    const whole = this.pathOf(path);
    if (this.base?.paths.has(whole)) return weight(this.graph, `${whole}.weight${NORMS}`, [shape[0]]);
    const matrix = this.parameter(`${path}.weight`, shape);
    return sqrt(sum(multiply(matrix, matrix), [transposed ? 0 : 1]));
  }

  /**
   * Declares that this module produces the output h [rows, width] of a sublayer. Returns the value that the model
   * adds to the residual: h, or the tuner's replacement for it.
   */
  sublayer(kind: Sublayer['kind'], h: Value, end: SublayerEnd): Value {
    const sublayer = { path: this.path, kind, width: h.shape[1] as number };
    this.sublayers.set(sublayer.path, sublayer);
    return this.injection?.sublayer?.(sublayer, h, end) ?? h;
  }

  /** Dropout in training, otherwise x itself. */
  dropout(x: Value, probability: number): Value {
    return this.dropouts?.apply(x, probability) ?? x;
  }

  /** Adds NEFTune's noise to the embeddings x of `tokens` · batch tokens in training, if the run has any. */
  noise(x: Value, tokens: Dimension): Value {
    return (this.noiseAlpha > 0 && this.dropouts?.noise(x, this.noiseAlpha, tokens)) || x;
  }
}

/** Whether a value is the output of a layer norm, or rows of it. */
function isNormalised({ node }: Value): boolean {
  return node.op === 'layerNorm' || (node.op === 'slice' && isNormalised(node.inputs[0]));
}
