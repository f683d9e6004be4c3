import { readFileSync } from 'node:fs';
import { requireTexts } from '../../src/program/modalities/texts.ts';
import { modelFeeds } from '../../src/program/objectives/model-inputs.ts';
import { Program } from '../../src/program/program.ts';
import { open } from '../../src/use/trained/node/open.ts';

/** JSON Lines with the ids of each prompt of a file, and the logits that a run's decoder gives for them. */
export async function tokenLogits(run: string, file: string): Promise<string> {
  const model = await open(run);
  const { engine, tuner, values, modality } = model.parts;
  const program = new Program(engine, model.parts.model, tuner);
  let lines = '';
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const { inputIds } = requireTexts(modality).encode(JSON.parse(line).prompt);
    const length = inputIds.length;
    const logits = await program.predict(
      values,
      modelFeeds({
        inputIds,
        tokenTypeIds: new Int32Array(length),
        attentionMask: new Int32Array(length).fill(1),
        batch: 1,
        length,
      }),
    );
    lines += `${JSON.stringify({ ids: [...inputIds], logits: [...logits] })}\n`;
  }
  await program.release();
  await model.close();
  return lines;
}
