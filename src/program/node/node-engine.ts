import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../../engine/runtime/session.ts';
import type { FolderFiles } from '../../input/formats/files.ts';
import { disk } from '../../input/formats/node/folder-files.ts';
import { assertOptions, BOOLEAN, COUNT, lazy, type OptionTypes, TEXT } from '../../support/options.ts';
import { UserError } from '../../support/user-error.ts';
import { type Engine, masksOn } from '../engine.ts';
import type { ModelWeights } from '../weight-memory.ts';

interface NodeEngineOptions {
  /** Number of threads within an operator. */
  threads?: number;
  /** Whether other processes of this host use the same weights. If so, all of them map the weights. */
  sharesHost?: boolean;
  /** Prefix of profile files. Each session writes its profile when it is released. */
  profilePrefix?: string;
}

const ENGINE_OPTIONS: OptionTypes<NodeEngineOptions> = {
  threads: COUNT,
  sharesHost: BOOLEAN,
  profilePrefix: TEXT,
};

/**
 * Runs a model's graphs in Node. Weights are mapped from the checkpoint, on WebAssembly loaded into memory. The engine's
 * code is loaded with the first session.
 *
 * @throws UserError if the weights have changed before a session opens
 */
export function nodeEngine(model: ModelWeights, device: Device, given: NodeEngineOptions = {}): Engine {
  assertOptions('nodeEngine', given, ENGINE_OPTIONS);
  const { sharesHost = false, ...options } = given;
  const { weightFolder, locate, packing } = model;
  // A model with new weights has no folder.
  const check = weightFolder ? unchanged(disk.within(weightFolder)) : () => {};
  const openWeb: Engine['open'] = async (outputs) => {
    const weights = (file: string) => {
      check([file]);
      return readFileSync(join(weightFolder, file));
    };
    const { webEngine } = await import('../web-engine.ts');
    return webEngine(model, { device: 'wasm', weights, threads: options.threads }).open(outputs);
  };
  return {
    masks: masksOn(device),
    async open(outputs, { packed = false } = {}) {
      if (device === 'wasm' || (device === 'cpu' && !(await hasAddon()))) return openWeb(outputs);
      const [{ loweredWithFiles }, { createSession }, { packsWeights }] = await Promise.all([
        import('../lowered.ts'),
        import('../../engine/runtime/node/create-session.ts'),
        import('../weight-memory.ts'),
      ]);
      const packs = packsWeights(Object.values(outputs), { packing, wanted: packed, sharesHost });
      const { encoded, files } = loweredWithFiles(outputs, {
        target: device,
        locate,
        saturates: device === 'cpu' && bytesSaturate(),
      });
      check(files);
      return createSession(encoded, { device, weightFolder, prepack: packs, ...options });
    },
  };
}

/**
 * Whether the engine adds products of an unsigned and a signed byte in 16 bits here: on x64 without VNNI, and if the
 * system does not tell. Products of unsigned bytes take longer, and are right everywhere.
 */
export const bytesSaturate = lazy(() => {
  if (process.arch !== 'x64') return false;
  try {
    return !/\b(avx512_?vnni|avx_?vnni|amx_int8)\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return true;
  }
});

/** Whether the engine's addon loads. Without it, the device `cpu` is WebAssembly, which computes the same. */
let addon: Promise<boolean> | undefined;
function hasAddon(): Promise<boolean> {
  addon ??= import('../../engine/runtime/node/create-session.ts')
    .then(({ loadEngine }) => loadEngine())
    .then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        process.emitWarning(`${error.message} So the device is wasm.`);
        return false;
      },
    );
  return addon;
}

/**
 * Detects files of a folder that are replaced or overwritten after this call. Otherwise, a later session could map
 * other weights than the first. A new hard link also changes a file's time, so then the content is compared.
 *
 * @returns a function that throws a UserError naming the first changed file
 */
function unchanged(folder: FolderFiles): (files: Iterable<string>) => void {
  const before = new Map(folder.list().map((file) => [file, folder.stat(file)]));
  const digests = new Map<string, string>();
  const isSame = (file: string): boolean => {
    const [now, then, digest] = [folder.stat(file), before.get(file), digests.get(file)];
    if (!now || now.identity !== then?.identity) return false;
    if (digest !== undefined && now.changed === then.changed) return true;
    before.set(file, now);
    digests.set(file, folder.digest(file));
    return digest === undefined || digest === digests.get(file);
  };
  return (files) => {
    for (const file of files) {
      if (isSame(file)) continue;
      const hint = 'Start again with weights that do not change during the run.';
      throw new UserError({
        where: folder.path(file),
        fault: 'was replaced or changed since it was opened',
        hint,
      });
    }
  };
}
