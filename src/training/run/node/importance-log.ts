import { appendFileSync, existsSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { readBytes, readJson } from '../../../input/formats/node/read-text.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import type { ComponentImportance } from '../../../methods/tuners/method-run.ts';
import { InvalidFile } from '../../../support/user-error.ts';
import type { ImportanceLog } from '../component-history.ts';
import { runFiles } from './run-folder.ts';

const MAX_LOG_BYTES = 2 ** 30;
const schema = z.object({
  modules: z
    .array(
      z.object({
        name: z.string(),
        rank: z
          .int()
          .min(0)
          .max(2 ** 20),
      }),
    )
    .min(1),
});

/**
 * Opens the importance log. `importance.f32` has a row of little-endian float32 per allocation: the step, the scores,
 * then 1 for kept and 0 for dropped components. `importance.json` names the modules. A resumed run keeps the rows up to
 * its checkpoint.
 */
export function openImportanceLog(
  folder: string,
  resumedAt: number | undefined,
): (step: number, importance: readonly ComponentImportance[]) => void {
  const files = runFiles(folder);
  const kept =
    resumedAt === undefined
      ? []
      : (readImportanceLog(folder)?.rows ?? []).filter(({ step }) => step <= resumedAt);
  if (kept.length > 0)
    atomicWrite(
      files.importance,
      kept.map(({ step, scores, kept }) => asRow(step, scores, kept)),
    );
  else rmSync(files.importance, { force: true });
  let isNamed = kept.length > 0;
  return (step, importance) => {
    if (!isNamed) {
      const modules = importance.map(({ module, scores }) => ({ name: module, rank: scores.length }));
      atomicWrite(files.importanceModules, `${JSON.stringify({ modules })}\n`);
      isNamed = true;
    }
    appendFileSync(
      files.importance,
      asRow(
        step,
        importance.flatMap(({ scores }) => [...scores]),
        importance.flatMap(({ kept }) => [...kept]),
      ),
    );
  };
}

/** Reads the log of a run; undefined if it has none. Ignores a row that a kill cut short. */
export function readImportanceLog(folder: string): ImportanceLog | undefined {
  const files = runFiles(folder);
  if (!existsSync(files.importanceModules) || !existsSync(files.importance)) return undefined;
  const { data } = schema.safeParse(readJson(files.importanceModules, 'the modules of an importance log'));
  if (!data)
    throw new InvalidFile({ where: files.importanceModules, fault: 'is not the list of an importance log' });
  const bytes = readBytes(files.importance, 'an importance log', MAX_LOG_BYTES);
  const values = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~3)),
  );
  const count = data.modules.reduce((sum, { rank }) => sum + rank, 0);
  const width = 1 + 2 * count;
  const rows = Array.from({ length: Math.floor(values.length / width) }, (_, i) => {
    const row = values.subarray(i * width, (i + 1) * width);
    return { step: row[0]!, scores: row.subarray(1, 1 + count), kept: row.subarray(1 + count) };
  });
  return { modules: data.modules, rows };
}

function asRow(step: number, scores: Iterable<number>, kept: Iterable<number>): Uint8Array {
  return new Uint8Array(Float32Array.from([step, ...scores, ...kept]).buffer);
}
