import type { WeightLocation } from '../onnx/lower.ts';
import { UserError } from '../support/user-error.ts';

/** What a checkpoint tells of a tensor. */
interface TensorPlace {
  dtype: string;
  shape: readonly number[];
  file: string;
  begin: number;
  end: number;
  /** The order in which its axes lie in those bytes, slowest first, where it is not row-major. */
  axes?: readonly number[];
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

interface BindOptions {
  /** Where the checkpoint lies, for messages. */
  where: string;
  /** Prefixes of the base model: a checkpoint has one of them or, of the base model alone, none. */
  baseModelPrefixes: readonly string[];
  /** Names that tied parameters may have in place of their own; those that the model has parameters of do not count. */
  tiedNames?: Readonly<Record<string, readonly string[]>>;
  /** Parameters that may be absent, or of another shape: those of a new head. */
  mayInitialise: (name: string) => boolean;
}

/**
 * Finds each parameter of a model in a checkpoint: by its name, with a prefix of the base model's too few, too many or
 * another, below a prefix that all tensors of the checkpoint share, by an old name, or by that of a parameter tied to
 * it. Parameters to be initialised are left out of the result.
 *
 * @throws UserError naming every tensor that is missing, or has another shape, with both shapes
 */
export function bindCheckpoint(
  parameters: ReadonlyMap<string, readonly number[]>,
  source: TensorSource,
  { where, baseModelPrefixes, tiedNames = {}, mayInitialise }: BindOptions,
): Map<string, string> {
  const present = new Set(source.names());
  const outer = sharedPrefix([...present]);
  const bound = new Map<string, string>();
  const problems: string[] = [];
  for (const [name, shape] of parameters) {
    const tied = (tiedNames[name] ?? []).filter((other) => !parameters.has(other));
    const names = [name, ...tied].flatMap((own) => candidates(own, baseModelPrefixes));
    const found = [...names, ...names.map((own) => outer + own)].find((candidate) => present.has(candidate));
    const stored = found === undefined ? undefined : source.info(found);
    const fits = stored?.shape.join() === shape.join();
    if (found !== undefined && stored && fits && Object.hasOwn(ENGINE_DTYPES, stored.dtype)) {
      bound.set(name, found);
    } else if (fits || !mayInitialise(name)) {
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
export function weightLocation({ dtype, file, begin, end, axes }: TensorPlace): WeightLocation {
  const name = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
  return { file: name, begin, end, dtype: ENGINE_DTYPES[dtype], ...(axes && { axes }) };
}

/** Names that a checkpoint may have a parameter under, the likeliest first. */
function candidates(name: string, prefixes: readonly string[]): string[] {
  const own = prefixes.find((prefix) => name.startsWith(`${prefix}.`));
  const bare = own === undefined ? [] : [name.slice(own.length + 1)];
  const prefixed = [...bare, name].flatMap((rest) => prefixes.map((prefix) => `${prefix}.${rest}`));
  return [name, ...bare, ...prefixed].flatMap((current) => [
    current,
    ...OLD_NAMES.filter(([ending]) => ending.test(current)).map(([ending, old]) =>
      current.replace(ending, old),
    ),
  ]);
}

/** The modules that all names begin with, as `model.`: what a wrapper around the model has left. */
function sharedPrefix(names: readonly string[]): string {
  let shared = names[0]?.split('.').slice(0, -1) ?? [];
  for (const name of names) {
    const parts = name.split('.');
    const differs = shared.findIndex((part, i) => part !== parts[i]);
    if (differs >= 0) shared = shared.slice(0, differs);
  }
  return shared.map((part) => `${part}.`).join('');
}
