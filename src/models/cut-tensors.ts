import type { ModelDefinition } from './model-definition.ts';

type Cut = Pick<ModelDefinition, 'cutModules'>;

interface Tensors {
  names(): string[];
  info(name: string): { shape: readonly number[]; begin: number; end: number };
}

interface Readable extends Tensors {
  readFloat32(name: string, start?: number, end?: number): Float32Array;
}

/**
 * A checkpoint in which parts of tensors are tensors of their own, for families whose modules transformers 5 cuts. A part
 * is a range of rows, so it stays a range of bytes.
 */
export function withCutTensors<Source extends Tensors>(source: Source, definition: Cut): Source {
  if (!definition.cutModules) return source;
  const parts = new Map(source.names().flatMap((whole) => listParts(definition, whole)));
  const range = (name: string, size: number) => {
    const { whole, i, count } = parts.get(name)!;
    return { whole, from: (i * size) / count, to: ((i + 1) * size) / count };
  };
  const elements = (name: string) => source.info(parts.get(name)!.whole).shape.reduce((a, b) => a * b, 1);
  const { readFloat32 } = source as Partial<Readable>;
  return {
    ...source,
    names: () => [...source.names(), ...parts.keys()],
    info(name: string) {
      const part = parts.get(name);
      if (!part) return source.info(name);
      const info = source.info(part.whole);
      const { from, to } = range(name, info.end - info.begin);
      const [rows, ...rest] = info.shape;
      return {
        ...info,
        shape: [rows! / part.count, ...rest],
        begin: info.begin + from,
        end: info.begin + to,
      };
    },
    ...(readFloat32 && {
      readFloat32(name: string, start?: number, end?: number) {
        if (!parts.has(name)) return readFloat32.call(source, name, start, end);
        const { whole, from, to } = range(name, elements(name));
        return readFloat32.call(source, whole, from + (start ?? 0), end === undefined ? to : from + end);
      },
    }),
  };
}

/** The name of the tensor in a file that has a tensor of {@link withCutTensors}. */
export function cutFrom(source: Pick<Tensors, 'names'>, definition: Cut, name: string): string {
  if (source.names().includes(name)) return name;
  const parts = source.names().flatMap((whole) => listParts(definition, whole));
  return parts.find(([part]) => part === name)?.[1].whole ?? name;
}

function listParts({ cutModules = {} }: Cut, name: string) {
  return Object.entries(cutModules).flatMap(([whole, parts]) =>
    `.${name}`.includes(`.${whole}.`)
      ? parts.map(
          (part, i) => [replaced(name, whole, part), { whole: name, i, count: parts.length }] as const,
        )
      : [],
  );
}

const replaced = (name: string, from: string, to: string) =>
  `.${name}`.replace(`.${from}.`, `.${to}.`).slice(1);
