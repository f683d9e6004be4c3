import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AT_START } from '../../src/methods/tuners/low-rank/factors.ts';
import type { MethodRun } from '../../src/methods/tuners/method-run.ts';
import type { ParameterLayout, TrainedSegment } from '../../src/methods/tuners/parameter-layout.ts';
import type { FrozenTensors } from '../../src/methods/tuners/tuner.ts';
import { readSafetensors } from '../../tests/support/safetensors-file.ts';
import { type Findings, largestDifference, largestMagnitude } from './compare.ts';
import { floats, named, type StoredTensors } from './read-case.ts';
import type { TrajectoryKind } from './trajectory-kinds.ts';

/** Limit relative to a tensor's largest change. */
const CHANGE_LIMIT = 2e-3;
/** Limit relative to a tensor's largest value. */
const IMPORTANCE_LIMIT = 1e-3;
/** Half a unit in the last place of f32, for tensors that have not changed. */
const ROUNDING = 2 ** -24;

/**
 * An element's gradient counts as rounding noise if it never exceeds this share of the largest gradient.
 * Examples are parts of biases that cancel in the softmax: a key's bias, and the keys' part of a common bias.
 * Adam scales such gradients up to steps of the learning rate, so both runs drift apart in these elements. If
 * this affected the model, the losses would show it.
 */
const NOISE = 1e-6;

/** The tensors of a trajectory and their reference values, by our names. */
export class TrajectoryTensors {
  readonly ourName: TrajectoryKind['ourName'];
  readonly #layout: ParameterLayout;
  readonly #undetermined: ReadonlySet<string | undefined>;
  readonly #initial: StoredTensors;
  /** Tensors that are saved but not trained. */
  readonly #still: StoredTensors;
  readonly #middle: StoredTensors;
  readonly #final: StoredTensors;
  /** The largest gradient of each element. */
  readonly #largestGradient: Float32Array;

  /** @param undetermined recorded names of tensors that are not compared */
  constructor(
    folder: string,
    layout: ParameterLayout,
    { ourName }: Pick<TrajectoryKind, 'ourName'>,
    undetermined: readonly string[] = [],
  ) {
    const read = (name: string) => readSafetensors(join(folder, name));
    this.ourName = ourName;
    this.#layout = layout;
    this.#undetermined = new Set(undetermined.map(ourName));
    this.#largestGradient = new Float32Array(layout.length);
    this.#initial = byOurNames(read('initial.safetensors'), ourName);
    const still = existsSync(join(folder, 'frozen.safetensors')) ? read('frozen.safetensors') : new Map();
    this.#still = byOurNames(still, ourName);
    this.#middle = read('middle.safetensors');
    this.#final = byOurNames(read('final.safetensors'), ourName);
  }

  names(): string[] {
    return [...this.#initial.keys()];
  }

  initialValues(): Float32Array {
    return this.#values(this.#initial);
  }

  /**
   * Sets the recorded values of tensors that are not trained. If a method starts from the weights, these are
   * the initial values.
   */
  setFrozen(frozen: FrozenTensors | undefined): void {
    for (const { name } of frozen?.layout.segments ?? []) {
      const tensor = this.#still.get(name) ?? this.#initial.get(name.replace(AT_START, ''));
      if (tensor) frozen?.read(name).set(floats(tensor));
    }
  }

  /** The final trained values that were recorded. */
  finalValues(): Float32Array {
    return this.#values(this.#final);
  }

  #values(tensors: StoredTensors): Float32Array {
    const values = new Float32Array(this.#layout.length);
    for (const { name } of this.#layout.segments)
      this.#layout.read(values, name).set(floats(named(tensors, name)));
    return values;
  }

  /** Records a step's gradient. Call it before clipping. */
  sawGradient(gradient: Float32Array): void {
    gradient.forEach((slope, i) => {
      this.#largestGradient[i] = Math.max(Math.abs(slope), this.#largestGradient[i]!);
    });
  }

  /** Whether a tensor changes only by rounding noise. */
  isNoise(name: string): boolean {
    if (this.#undetermined.has(name)) return true;
    if (!this.#layout.find(name)) return false;
    const largest = largestMagnitude(this.#layout.read(this.#largestGradient, name));
    return largest > 0 && largest < this.#leastGradient();
  }

  /** The elements of a tensor whose changes are more than rounding noise. `values` may also be the reference's. */
  #settled(name: string, values: Float32Array): Float32Array {
    if (!this.#layout.find(name)) return values;
    const largest = this.#layout.read(this.#largestGradient, name);
    // A factor that has lost triplets is compared as a whole.
    if (largest.length !== values.length) return values;
    const least = this.#leastGradient();
    return values.filter((_, i) => largest[i] === 0 || largest[i]! >= least);
  }

  /** Smaller gradients, except 0, are rounding noise. */
  #leastGradient(): number {
    return NOISE * largestMagnitude(this.#largestGradient);
  }

  /** The maximum deviation of a tensor, in proportion to its largest recorded change. */
  limit(name: string): number {
    const initial = floats(this.#still.get(name) ?? named(this.#initial, name));
    const recorded = [...this.#middle, ...this.#final].filter(
      ([key]) => this.ourName(key.replace(/^\d+\.value\./, '')) === name,
    );
    const changes = recorded.map(([, tensor]) => largestDifference(initial, floats(tensor)));
    return Math.max(CHANGE_LIMIT * Math.max(0, ...changes), ROUNDING * largestMagnitude(initial));
  }

  compare(findings: Findings, kind: string, name: string, ours: Float32Array, theirs: Float32Array): void {
    const [actual, expected] = [ours, theirs].map((values) => this.#settled(name, values)) as [
      Float32Array,
      Float32Array,
    ];
    // Saved tensors that are never trained come from the reference's own random generator. They differ by
    // rounding.
    const isRecorded = this.#still.has(name) || this.#initial.has(name);
    const limit = isRecorded ? this.limit(name) : 2 * ROUNDING * largestMagnitude(theirs);
    findings.tensor(kind, actual, expected, limit, name);
  }

  checkMiddle(findings: Findings, step: number, values: Float32Array, run: MethodRun): void {
    for (const [key, tensor] of this.#middle) {
      const [, at, kind, recorded] = /^(\d+)\.(value|sensitivity|uncertainty)\.(.*)$/.exec(key) ?? [];
      if (Number(at) !== step) continue;
      const name = this.ourName(recorded!);
      if (name === undefined) continue;
      const expected = floats(tensor);
      if (kind !== 'value') {
        const average = averageOf(run, kind!, this.#layout.get(name));
        findings.tensor(kind!, average, expected, IMPORTANCE_LIMIT * largestMagnitude(expected), key);
      } else if (!this.isNoise(name)) {
        this.compare(findings, 'middle', name, this.#layout.read(values, name), expected);
      }
    }
  }

  checkFinal(findings: Findings, values: Float32Array): void {
    findings.names('final tensors', this.#final.keys(), this.#initial.keys());
    const noise: string[] = [];
    for (const [name, tensor] of this.#final) {
      if (this.isNoise(name)) noise.push(name);
      else this.compare(findings, 'final', name, this.#layout.read(values, name), floats(tensor));
    }
    if (noise.length > 0) findings.notes.push(`moved by rounding alone: ${noise.join(', ')}`);
  }
}

/**
 * A tensor's part of one of the method's averages. Averages cover only the start of the vector, so it may be
 * empty.
 */
function averageOf(run: MethodRun, kind: string, { start, end }: TrainedSegment): ArrayLike<number> {
  return run.state()[kind]?.subarray(start, end) ?? [];
}

function byOurNames(tensors: StoredTensors, ourName: TrajectoryKind['ourName']): StoredTensors {
  return new Map(
    [...tensors].flatMap(([key, tensor]) => {
      const name = ourName(key);
      return name === undefined ? [] : [[name, tensor] as const];
    }),
  );
}
