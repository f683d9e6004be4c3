import type { LocalSource } from '../../input/formats/byte-source.ts';
import { excerptName } from '../../input/formats/excerpt.ts';
import { openFile } from '../../input/formats/files.ts';
import { f32ToBf16, finiteF16 } from '../../input/formats/float.ts';
import { type GgufHeader, readGgufHeader, readGgufTensor } from '../../input/formats/read-gguf.ts';
import type { MadeTensor } from '../../input/formats/tensor-data.ts';
import { ggufTokenizer } from '../../input/text/gguf-vocabulary.ts';
import type { GgufFormat, ModelDefinition } from '../../models/model-definition.ts';
import { ggufFamily, modelTypes } from '../../models/registry.ts';
import { copyKey, intactCopy, refuseCache, writeCopy } from '../../program/bases/kept-copy.ts';
import type { ModelMachine } from '../../program/machine.ts';
import { viewBytes } from '../../support/arrays.ts';
import { largest } from '../../support/numbers.ts';
import { UserError } from '../../support/user-error.ts';
import { OUTSIDE } from './gguf-model.ts';

type Whole = NonNullable<GgufFormat['whole']>;

/**
 * The folder of a GGUF file's model in Hugging Face's form: config.json, tokenizer and weights. It is kept in the cache.
 * Integer blocks become float16. Nothing is trained over llama.cpp's own blocks: see `base_dtype`.
 *
 * @returns the folder
 * @throws UserError for a family, a tokenizer, or a type of tensors that is not read
 */
export function ggufFolder(machine: ModelMachine, path: string): string {
  const { disk } = machine;
  const folder = disk.within(machine.cacheFolder()).within(`gguf/${copyKey(machine, [path], { gguf: 1 })}`);
  const kept = folder.has(CONFIG) ? intactCopy(machine, folder) : undefined;
  kept?.close();
  if (kept) return disk.realPath(folder.name);
  const file = openFile(disk, path, 'a GGUF file');
  try {
    const { metadata, tensors } = readGgufHeader(file);
    const family = familyNamed(String(metadata['general.architecture']), path);
    const format = family.gguf!;
    const tokenizer = ggufTokenizer(metadata, path);
    const { json, config } = describe(family, file, { metadata, tensors });
    const made = [...tensors].flatMap(([name, info]): MadeTensor[] => {
      if (name === FREQUENCIES) return [];
      const { own, module, kind, isNorm } = ownName(name, format, path);
      const rows = format.rows?.(module, config);
      const dtype = STORED[info.type] ?? 'F16';
      function* make() {
        const read = readGgufTensor(file, name, info);
        const values = restored(read, rows, isNorm ? format.whole!.normOffset : 0);
        yield viewBytes(ENCODERS[dtype](values, `${path}: ${name}`));
      }
      return [{ name: `${own}.${kind}`, dtype, shape: info.shape, make }];
    });
    writeCopy(machine, folder, made);
    for (const [name, content] of Object.entries({ ...tokenizer, [CONFIG]: json }))
      folder.write(name, JSON.stringify(content));
    return disk.realPath(folder.name);
  } catch (error) {
    return refuseCache(error);
  } finally {
    file.close();
  }
}

const CONFIG = 'config.json';
/** How float tensors are stored, by the number of their type. Others are stored as float16. */
const STORED: Readonly<Record<number, 'F32' | 'BF16'>> = { 0: 'F32', 30: 'BF16' };
const ENCODERS = {
  F32: (values: Float32Array) => values,
  F16: (values: Float32Array, where: string) => finiteF16(values, where, "Use the model's safetensors."),
  BF16: f32ToBf16,
};
const WORDS = 'token_embd.weight';
/** Numbers by which the rotary frequencies are divided. */
const FREQUENCIES = 'rope_freqs.weight';

function familyNamed(architecture: string, path: string): ModelDefinition {
  const family = ggufFamily(architecture);
  if (family) return family;
  throw new UserError({
    where: path,
    fault: `has a model of the architecture ${architecture}, which is not read`,
    hint: `Known: models of type ${modelTypes(({ gguf }) => gguf?.whole !== undefined).join(', ')}.`,
    code: 'unsupported',
  });
}

/** Settings that change what a model computes, if the family does not have them. */
const CHANGES = /expert|scal|ssm|clamp/;

/**
 * The model's config.json, and what it means.
 *
 * @throws UserError for settings that it cannot hold
 */
function describe(family: ModelDefinition, file: LocalSource, { metadata, tensors }: GgufHeader) {
  const { path } = file;
  const { architecture, whole, rows } = family.gguf as GgufFormat & { whole: Whole };
  const settings = Object.fromEntries(
    Object.entries(metadata).flatMap(([key, value]) =>
      key.startsWith(`${architecture}.`) ? [[key.slice(architecture.length + 1), value]] : [],
    ),
  );
  const id = (name: string) => metadata[`tokenizer.ggml.${name}_token_id`];
  const ends = [...new Set([id('eos'), id('eot')])].filter((one) => one !== undefined);
  const factors = tensors.get(FREQUENCIES);
  const json = {
    model_type: family.modelType,
    dtype: 'float16',
    vocab_size: tensors.get(WORDS)?.shape[0],
    tie_word_embeddings: !tensors.has('output.weight'),
    bos_token_id: id('bos') ?? null,
    eos_token_id: ends.length > 1 ? ends : (ends[0] ?? null),
    pad_token_id: id('padding') ?? null,
    ...whole.fields(settings),
    ...(factors && {
      rope_scaling: {
        rope_type: 'llama3',
        factor: largest(readGgufTensor(file, FREQUENCIES, factors)),
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 8192,
      },
    }),
  };
  const config = family.parseConfig(json, path);
  const told = Object.entries(whole.settings(config)).map(([key, value]) => [
    key,
    typeof value === 'object' && 'float' in value ? value.float : value,
  ]);
  const expected = Object.fromEntries(told);
  const wrong = Object.entries(settings).find(([key, value]) =>
    key in expected
      ? Math.fround(expected[key]) !== Math.fround(Number(value)) && expected[key] !== value
      : CHANGES.test(key) && Number(value) !== 0 && value !== 'none',
  );
  const lacks = whole.lacks(config, { rows }) ?? (wrong && `the setting ${wrong[0]}: ${wrong[1]}`);
  if (lacks === undefined) return { json, config };
  throw new UserError({
    where: path,
    fault: `has ${lacks}, which is not read from GGUF files`,
    hint: "Use the model's safetensors instead.",
    code: 'unsupported',
  });
}

/** Rows in Hugging Face's order, and norms without what is added to them. */
function restored(tensor: Float32Array, rows: Uint32Array | undefined, offset: number): Float32Array {
  if (offset !== 0) return tensor.map((value) => value - offset);
  if (!rows) return tensor;
  const columns = tensor.length / rows.length;
  const moved = new Float32Array(tensor.length);
  rows.forEach((row, stored) =>
    moved.set(tensor.subarray(stored * columns, (stored + 1) * columns), row * columns),
  );
  return moved;
}

/** Hugging Face's name of a tensor, by llama.cpp's. */
function ownName(name: string, { modules, whole }: GgufFormat, path: string) {
  const [, stem, kind] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
  const [, layer, module = stem] = /^blk\.(\d+)\.(.+)$/.exec(stem ?? '') ?? [];
  const names = layer === undefined ? OUTSIDE : { ...modules, ...whole!.norms };
  const own = Object.keys(names).find((own) => names[own] === module);
  if (own === undefined || module === undefined)
    throw new UserError({
      where: `${path}: ${excerptName(name)}`,
      fault: 'is not a tensor of this architecture',
      hint: "Use the model's safetensors instead.",
      code: 'unsupported',
    });
  const isNorm = own === 'model.norm' || own in whole!.norms;
  return { own: layer === undefined ? own : `model.layers.${layer}.${own}`, module, kind, isNorm };
}
