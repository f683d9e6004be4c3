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
  const answers = await Promise.all(sets.map((_, i) => kept?.read(`teacher-${i}`)));
  if (!answers.every(Boolean))
    await withTeacher(machine, files, async (model) => {
      for (const [i, set] of sets.entries()) {
        if (answers[i]) continue;
        const inputs = teaching.inputs(set);
        const found: Float32Array[] = [];
        for await (const answer of model.predict(inputs)) {
          found.push(teaching.vector(answer, labels));
          onProgress((i + found.length / inputs.length) / sets.length);
        }
        if (run.isFirst) await kept?.write(`teacher-${i}`, found);
        answers[i] = found;
      }
    });
  const [train, ...validation] = sets.map((set, i) => teaching.withAnswers(set, answers[i]!));
  const sources = rows.validation.map((set, i) => ({ ...set, rows: validation[i] }));
  run.files = { ...files, rows: { ...rows, train, validation: sources } };
}
