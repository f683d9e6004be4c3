import type { WeightLocation } from '../onnx/lower.ts';
import { UserError } from '../support/user-error.ts';

/** What a checkpoint tells of a tensor. */
export interface TensorPlace {
  dtype: string;
  shape: readonly number[];
  file: string;
  begin: number;
  end: number;
}

export interface TensorSource {
  names(): string[];
  info(name: string): TensorPlace;
}

/** Names of layer norm parameters in checkpoints of TensorFlow's time. */
const OLD_NAMES: readonly [RegExp, string][] = [
  [/\.weight$/, '.gamma'],
  [/\.bias$/, '.beta'],
];

const ENGINE_DTYPES: Record<string, WeightLocation['dtype']> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

export interface BindOptions {
  /** Where the checkpoint lies, for messages. */
  where: string;
  /** Prefix of the base model, which a checkpoint of the base model alone lacks. */
  baseModelPrefix: string;
  /** Parameters that may be absent, or of another shape: those of a new head. */
  mayInitialise: (name: string) => boolean;
}

/**
 * Finds each parameter of a model in a checkpoint: by its name, without or with the base model's prefix, or by an old
 * name. Parameters to be initialised are left out of the result.
 *
 * @throws UserError naming every tensor that is missing, or has another shape, with both shapes
 */
export function bindCheckpoint(
  parameters: ReadonlyMap<string, readonly number[]>,
  source: TensorSource,
  { where, baseModelPrefix, mayInitialise }: BindOptions,
): Map<string, string> {
  const present = new Set(source.names());
  const bound = new Map<string, string>();
  const problems: string[] = [];
  for (const [name, shape] of parameters) {
    const found = candidates(name, baseModelPrefix).find((candidate) => present.has(candidate));
    const stored = found === undefined ? undefined : source.info(found);
    if (
      found !== undefined &&
      stored &&
      stored.shape.join() === shape.join() &&
      stored.dtype in ENGINE_DTYPES
    ) {
      bound.set(name, found);
    } else if (!mayInitialise(name)) {
      const got = stored ? `${stored.dtype} [${stored.shape}]` : 'no such tensor';
      problems.push(`  ${name}: expected F32, F16 or BF16 [${shape}], got ${got}`);
    }
  }
  if (problems.length === 0) return bound;
  const shown = problems.slice(0, 10).join('\n');
  const more = problems.length > 10 ? `\n  and ${problems.length - 10} more` : '';
  throw new UserError(`${where} does not fit its config.json:\n${shown}${more}`);
}

/** Where the engine finds a bound tensor: inside a file of the weight folder. */
export function weightLocation({ dtype, file, begin, end }: TensorPlace): WeightLocation {
  const name = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
  return { file: name, begin, end, dtype: ENGINE_DTYPES[dtype] };
}

function candidates(name: string, prefix: string): string[] {
  const names = name.startsWith(`${prefix}.`) ? [name, name.slice(prefix.length + 1)] : [name];
  return names.flatMap((current) => [
    current,
    ...OLD_NAMES.filter(([ending]) => ending.test(current)).map(([ending, old]) =>
      current.replace(ending, old),
    ),
  ]);
}
