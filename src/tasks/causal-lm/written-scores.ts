import { planEvaluation } from '../../input/text/batches.ts';
import type { EvaluationWatch, Scores } from '../../program/example-set.ts';
import { generationSettings } from '../../program/generation/generation-settings.ts';
import { openLanguageModel } from '../../program/generation/open-language-model.ts';
import { TextGenerator } from '../../program/generation/text-generator.ts';
import { textsOf } from '../../program/modalities/texts.ts';
import { dealJson } from '../../program/parallel/deal.ts';
import type { Evaluator } from '../../program/program.ts';
import type { EncodingContext } from '../task-definition.ts';
import type { PromptRow } from './causal-evaluation.ts';
import type { CausalData } from './data-section.ts';

/**
 * Scores the completions that a decoder generates. `eval_exact_match` is the share that equals the reference, ignoring
 * surrounding white space. `eval_valid_json` is the share that is valid JSON. `eval_gen_len` is the mean number of
 * tokens.
 */
export async function writtenScores(
  rows: readonly PromptRow[],
  context: EncodingContext<CausalData>,
  {
    batchSize,
    program,
    values,
    watch,
  }: { batchSize: number; program: Evaluator; values: Float32Array; watch?: EvaluationWatch },
): Promise<Scores> {
  const { reading, modality } = context;
  const texts = textsOf(modality);
  const model = await openLanguageModel({ ...program.parts, values });
  const generator = new TextGenerator({
    model,
    texts,
    files: context.generationFiles(),
    isChat: false,
    close: () => model.release(),
  });
  try {
    const prompts = rows.map(({ prompt }) => texts.begun(prompt));
    const longest = rows.reduce((most, { completion }) => Math.max(most, texts.ids(completion).length), 0);
    const files = context.generationFiles();
    const { eos_token_id = texts.endId } = generationSettings(files);
    // Passed explicitly, because a model's files may lack the padding and end tokens that training used.
    const tokens = {
      pad_token_id: texts.padId,
      ...(eos_token_id !== undefined && { eos_token_id: [eos_token_id].flat() }),
    };
    const greedy = { do_sample: false, num_beams: 1, max_new_tokens: longest + 1 };
    const config = { ...greedy, ...tokens, ...reading.generation_config };
    const batches = planEvaluation({ lengths: Int32Array.from(prompts, ({ length }) => length) }, batchSize);
    const written = await dealJson(program.communicator, batches.length, async (number) => {
      const batch = Array.from(batches[number]!, (i) => prompts[i]!);
      const generated = await generator.generateAll(batch, config);
      return generated.map(([best]) => ({ text: best!.text, tokens: best!.ids.length }));
    });
    const answers = new Array<{ text: string; tokens: number }>(rows.length);
    for (const [number, ofBatch] of written.entries())
      for (const [row, answer] of ofBatch.entries()) answers[batches[number]![row]!] = answer;
    const references = rows.map(({ completion }) => completion);
    watch?.onAnswers?.(
      answers.map(({ text }) => text),
      references,
    );
    const share = (isOne: (text: string, i: number) => boolean) =>
      answers.filter(({ text }, i) => isOne(text, i)).length / rows.length;
    return {
      eval_exact_match: share((text, i) => text.trim() === references[i]!.trim()),
      eval_valid_json: share(isJson),
      eval_gen_len: answers.reduce((sum, { tokens }) => sum + tokens, 0) / rows.length,
    };
  } finally {
    await generator.close();
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
