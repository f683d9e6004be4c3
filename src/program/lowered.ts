import type { Value } from '../engine/graph/graph.ts';
import { type LocateWeight, lower } from '../engine/onnx/lower.ts';
import type { Target } from '../engine/onnx/lowerings.ts';

/** Lowers a graph like {@link lower}, and names the files of the weights that it reads. */
export function loweredWithFiles(
  outputs: Readonly<Record<string, Value>>,
  { target, locate, saturates }: { target: Target; locate: LocateWeight; saturates?: boolean },
): { encoded: Uint8Array; files: string[] } {
  const files = new Set<string>();
  const encoded = lower(outputs, {
    target,
    saturates,
    locate(name) {
      const place = locate(name);
      if (!('data' in place)) files.add(place.file);
      return place;
    },
  });
  return { encoded, files: [...files] };
}
