import { taskNamed } from '../../tasks/registry.ts';
import type { Run } from './run.ts';
import { withTeacher } from './teach-rows.ts';

/** Lets the teacher answer all rows, unless the run has kept its answers. */
export async function askTeacher(run: Run): Promise<void> {
  const { files, machine, store } = run;
  const { config, labels, rows } = files;
  const { teaching } = taskNamed(config.task);
  if (!teaching || teaching.sources(config.data).teacher === undefined) return;
  const onProgress = run.progress('preparation');
  const kept = store.rows?.(run);
  const sets = [rows.train, ...rows.validation.map((set) => set.rows)];
  const taught: unknown[] = [];
  for (const [i, set] of sets.entries()) {
    const inputs = teaching.inputs(set);
    let vectors = await kept?.read(`teacher-${i}`);
    if (!vectors) {
      vectors = await withTeacher(machine, files, async (model) => {
        const found: Float32Array[] = [];
        for await (const answer of model.predict(inputs)) {
          found.push(teaching.vector(answer, labels));
          onProgress((i + found.length / inputs.length) / sets.length);
        }
        return found;
      });
      if (run.isFirst) await kept?.write(`teacher-${i}`, vectors);
    }
    taught.push(teaching.withAnswers(set, vectors));
  }
  const [train, ...validation] = taught;
  const sources = rows.validation.map((set, i) => ({ ...set, rows: validation[i] }));
  run.files = { ...files, rows: { ...rows, train, validation: sources } };
}
